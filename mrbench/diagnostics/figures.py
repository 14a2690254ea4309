"""One figure of a diagnosis: a mean over subjects, or a ratio of two, with its interval; or why there is none.

Axis letters: n cases, U subjects, T bootstrap draws.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import numpy as np

from mrbench.statistics.bootstrap import DRAWS, draw_weights
from mrbench.statistics.interval import LEVEL

Values = Mapping[str, tuple[float, float]]
"""Of a case: by the name of a figure, what is counted and what it is a share of, 1 where it is no share."""


@dataclass(frozen=True)
class Figure:
    """A number, or the reason why there is none: what does not apply is none, and never 0.

    Attributes:
        value: None where it does not apply.
        low, high: 95 % interval by bootstrap over subjects; None where there is one subject, or no value.
        why: there is no value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""


def mean_of_figures(figures: Sequence[Figure]) -> Figure:
    """The mean over the cells of a method run that have a value; a single one keeps its interval."""
    values = [figure.value for figure in figures if figure.value is not None]
    return figures[0] if len(figures) == 1 or not values else Figure(fmean(values))


class Tally:
    """Collects the values of cases, each under its subject, and makes figures of them."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[str, float, float]]] = {}

    def add(self, subject: str, values: Values) -> None:
        """Adds a case; a value that is not finite does not apply to it."""
        for name, (part, whole) in values.items():
            if np.isfinite([part, whole]).all():
                self._rows.setdefault(name, []).append((subject, part, whole))

    def figures(self) -> dict[str, Figure]:
        """Every figure: the mean over the subjects of what is counted, over that of what it is a share of."""
        return {name: _figure(rows) for name, rows in self._rows.items()}


def _figure(rows: Sequence[tuple[str, float, float]]) -> Figure:
    parts = np.array([part for _, part, _ in rows]), np.array([whole for _, _, whole in rows])
    return ratio_figure(*parts, [subject for subject, _, _ in rows])


def ratio_figure(part: np.ndarray, whole: np.ndarray, subjects: Sequence[str]) -> Figure:
    """Mean of ``part`` over mean of ``whole``, ``(n,)`` each: cases are averaged in their subject first."""
    names, index = np.unique(list(subjects), return_inverse=True)
    counts = np.bincount(index)
    sums = np.stack([np.bincount(index, each) / counts for each in (part, whole)])  # (2, U)
    value = _ratio(sums, np.ones((1, len(names))))
    if not np.isfinite(value).all():
        return Figure(None, why="nothing differs that it could be a share of")
    if len(names) < 2:
        return Figure(float(value[0]))
    drawn = np.concatenate([*map(partial(_ratio, sums), draw_weights(len(names), 0, DRAWS, 0, block=DRAWS))])
    low, high = np.quantile(drawn[np.isfinite(drawn)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(float(value[0]), float(low), float(high))


def _ratio(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    # (T,) from the subjects' sums (2, U) and how often each is drawn, (T, U)
    part, whole = weights @ sums[0], weights @ sums[1]
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def mean_of(cells: Iterable[Mapping[str, Figure]]) -> dict[str, Figure]:
    """The figures of a method run: each the mean over its cells."""
    found: dict[str, list[Figure]] = {}
    for figures in cells:
        for name, figure in figures.items():
            found.setdefault(name, []).append(figure)
    return {name: mean_of_figures(own) for name, own in found.items()}
