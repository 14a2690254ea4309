"""Does a rater's mask lie beside those of the others, by the same step in every case?

The step that the cases before tell is tried on the next one, so that no case is judged by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

LEAST_STEP = 1.75
"""Pixels along an axis, on average; tools differ by one in whether an outline belongs to its mask."""

LEAST_TRIED = 2
"""Cases that a step has to be tried on."""

BETTER = 0.7
"""Of what Dice lacks to 1, the step has to leave at most so much."""

WAYS = (("plane", "below", "above"), ("row", "above", "below"), ("column", "left of", "right of"))
"""Names of steps along D, H, W, against the axis and along it."""


@dataclass
class _Steps:
    """What is known of one rater.

    Attributes:
        total: sum of the steps from the others' centroid to his, per axis.
        n: cases that it is of.
        step: that was tried last.
        tried: cases.
        before, after: sums of Dice with the others, as it lies and moved back.
    """

    total: np.ndarray
    n: int = 0
    step: tuple[int, ...] = ()
    tried: int = 0
    before: float = 0.0
    after: float = 0.0


@dataclass
class Shifts:
    """Steps between raters.

    Attributes:
        raters: by name.
    """

    raters: dict[str, _Steps] = field(default_factory=dict)

    def add(self, masks: Mapping[str, np.ndarray]) -> None:
        """The masks of one case by rater, each ``(*spatial)`` bool."""
        there = {rater: mask for rater, mask in masks.items() if mask.any()}
        if len(there) < 2:
            return
        places = {rater: _centroid(mask) for rater, mask in there.items()}
        votes = np.sum(list(there.values()), axis=0, dtype=np.uint16)
        for rater, mask in there.items():
            others = [place for name, place in places.items() if name != rater]
            known = self.raters.setdefault(rater, _Steps(np.zeros(mask.ndim)))
            if len(known.total) != mask.ndim:
                continue
            if known.n:
                _try(known, mask, 2 * (votes - mask) >= len(others))
            known.total += places[rater] - np.mean(others, axis=0)
            known.n += 1

    def found(self) -> Iterator[tuple[str, str, float, float]]:
        """Raters whose masks fit the others' once they are moved back: the step in words, Dice before and after."""
        for rater, known in sorted(self.raters.items()):
            if known.tried < LEAST_TRIED or float(np.abs(known.total / known.n).max()) < LEAST_STEP:
                continue
            before, after = known.before / known.tried, known.after / known.tried
            if 1 - after <= BETTER * (1 - before):
                yield rater, _told(known.step), before, after


def _try(known: _Steps, mask: np.ndarray, others: np.ndarray) -> None:
    known.step = tuple(np.rint(known.total / known.n).astype(int).tolist())
    sizes = int(np.count_nonzero(mask)) + int(np.count_nonzero(others))
    known.tried += 1
    known.before += 2 * int(np.count_nonzero(mask & others)) / sizes
    moved = mask[tuple(slice(max(0, step), min(0, step) or None) for step in known.step)]
    under = others[tuple(slice(max(0, -step), min(0, -step) or None) for step in known.step)]
    known.after += 2 * int(np.count_nonzero(moved & under)) / sizes


def _centroid(mask: np.ndarray) -> np.ndarray:
    """Mean place of what is marked, per axis."""
    axes = range(mask.ndim)
    along = (mask.sum(axis=tuple(other for other in axes if other != axis), dtype=np.int64) for axis in axes)
    return np.array([float(np.arange(len(counts)) @ counts) / float(counts.sum()) for counts in along])


def _told(step: tuple[int, ...]) -> str:
    steps = zip(step, WAYS[-len(step) :], strict=True)
    return ", ".join(f"{abs(n)} {one if abs(n) == 1 else f'{one}s'} {way[n > 0]}" for n, (one, *way) in steps if n)
