"""Quantities of cases, summed per subject as they come: memory grows with subjects, not with pixels.

Axis letters: U subjects, T ways to weigh the subjects.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from mrbench.statistics.bootstrap import BLOCK, DRAWS, draw_weights

FIRST = 64
"""Subjects that there is room for at first; doubled where they do not fit."""


@dataclass
class SubjectSums:
    """Sums and counts per subject of arrays whose shape a name stands for; NaN counts nowhere.

    Attributes:
        subjects: in the order of their first case.
    """

    subjects: dict[str, int] = field(default_factory=dict)
    _sums: dict[str, np.ndarray] = field(default_factory=dict)
    _counts: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, subject: str, values: Mapping[str, np.ndarray]) -> None:
        """Adds the quantities of one case."""
        row = self.subjects.setdefault(subject, len(self.subjects))
        for name, value in values.items():
            sums, counts = self._room(name, value.shape, row)
            there = ~np.isnan(value)
            sums[row] += np.where(there, value, 0.0)
            counts[row] += there

    def _room(self, name: str, shape: tuple[int, ...], row: int) -> tuple[np.ndarray, np.ndarray]:
        if name not in self._sums:
            self._sums[name], self._counts[name] = np.zeros((FIRST, *shape)), np.zeros((FIRST, *shape), np.uint32)
        while row >= len(self._sums[name]):
            self._sums[name] = np.concatenate([self._sums[name], np.zeros_like(self._sums[name])])
            self._counts[name] = np.concatenate([self._counts[name], np.zeros_like(self._counts[name])])
        return self._sums[name], self._counts[name]

    def has(self, name: str) -> bool:
        """Was it measured of any case?"""
        return name in self._sums

    def cases(self, name: str) -> np.ndarray:
        """``(...)`` int64 cases that have a value."""
        return self._counts[name].sum(axis=0, dtype=np.int64)

    def total(self, name: str, weights: np.ndarray) -> np.ndarray:
        """``(T, ...)`` sums under weights ``(T, U)``."""
        return np.tensordot(weights, self._sums[name][: len(self.subjects)], 1)

    def mean(self, name: str, weights: np.ndarray, *, by_subject: bool) -> np.ndarray:
        """``(T, ...)`` mean over subjects of their means, or over cases, under weights ``(T, U)``; NaN without any."""
        sums, counts = self._sums[name][: len(self.subjects)], self._counts[name][: len(self.subjects)]
        if by_subject:
            sums = np.divide(sums, counts, out=np.zeros_like(sums), where=counts > 0)
            counts = np.minimum(counts, 1)
        below = np.tensordot(weights, counts.astype(np.float64), 1)
        return np.divide(np.tensordot(weights, sums, 1), below, out=np.full(below.shape, np.nan), where=below > 0)

    def draws(self, seed: int = 0, draws: int = DRAWS) -> Iterator[np.ndarray]:
        """``(block, U)`` weights of bootstrap draws of subjects with replacement, block by block."""
        widest = max([len(self.subjects), *(sums[0].size for sums in self._sums.values())])
        return draw_weights(len(self.subjects), 0, draws, seed, block=max(1, BLOCK // widest))
