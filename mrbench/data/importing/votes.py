"""Masks that are none of a rater: counts of votes, and classes one by one in place of raters."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mrbench.data.importing.files import Layout
from mrbench.data.importing.request import Request
from mrbench.errors import DataError

if TYPE_CHECKING:
    from mrbench.data.importing.survey import Survey

LEAST_VOTES = 3
"""Below, nested classes and counts of votes look alike: a cup in a disc."""

BY_ONE = 0.6
"""Share of the pixels at the lower edge of a count that step down by one vote, at least, at every count."""

BOTH_WAYS = 0.25
"""Share of them, at least, that are met upwards, and downwards: counts are hills, layers of tissue only rise."""


@dataclass
class Votes:
    """What has been seen of masks that may be none of a rater.

    Attributes:
        sums: by rater, whether in all cases so far his labels were the number of the others who marked a pixel.
        counted: raters of whom that was more than one somewhere.
        alone: cases with one mask.
        cases: all.
        down, steps, up: by label from 2 on, in cases with one mask, neighbours with lower labels, those lower by one,
            and those that come before.
        one_hot: do the planes of every stack divide the pixels among them?
        stacks: cases with stacks.
    """

    sums: dict[str, bool] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    alone: int = 0
    cases: int = 0
    down: Counter[int] = field(default_factory=Counter)
    steps: Counter[int] = field(default_factory=Counter)
    up: Counter[int] = field(default_factory=Counter)
    one_hot: bool = True
    stacks: int = 0

    def add(self, labels: Mapping[str, np.ndarray], *, stacked: bool) -> None:
        """The masks of one case by rater, each ``(*spatial)`` unsigned."""
        self.cases += 1
        marked = sum(((one > 0).astype(np.int64) for one in labels.values()), np.int64(0))
        if stacked and len(labels) > 1:
            self.stacks += 1
            self.one_hot &= bool((marked == 1).all())
        if len(labels) == 1:
            self.alone += 1
            self._add_alone(next(iter(labels.values())).astype(np.int64))
        for rater, one in labels.items():
            if len(labels) > 2 and self.sums.get(rater, True):
                self.sums[rater] = bool((one == marked - (one > 0)).all())
                self.counted |= {rater} if one.max() > 1 else set()

    def _add_alone(self, labels: np.ndarray) -> None:
        for axis in range(labels.ndim):
            one, other = np.moveaxis(labels, axis, 0)[1:], np.moveaxis(labels, axis, 0)[:-1]
            high, low = np.maximum(one, other), np.minimum(one, other)
            edge = (high > low) & (high > 1)
            for counter, chosen in ((self.down, edge), (self.steps, high == low + 1), (self.up, high == one)):
                labels_there, n = np.unique(high[edge & chosen], return_counts=True)
                counter.update(dict(zip(labels_there.tolist(), n.tolist(), strict=True)))

    def summed(self) -> Iterator[str]:
        """Raters whose masks count the votes of the others."""
        return (rater for rater, equal in sorted(self.sums.items()) if equal and rater in self.counted)

    def counts(self, values: tuple[int, ...]) -> bool:
        """Do the only masks of the cases, with these labels, go up and down by one vote at nearly every edge?"""
        last = values[-1]
        if self.alone < self.cases or last < LEAST_VOTES or values != tuple(range(last + 1)):
            return False
        return all(map(self._is_hill, range(2, last + 1)))

    def _is_hill(self, label: int) -> bool:
        down, up = self.down[label], self.up[label]
        return self.steps[label] >= BY_ONE * down and min(up, down - up) > BOTH_WAYS * down


def check_are_raters(found: "Survey", layout: Layout, asked: Request) -> None:
    """Refuses masks that are none of a rater; whoever names classes or axes knows better.

    Raises:
        DataError: counts of votes, or classes one by one; says what to do.
    """
    folder = layout.listing.folder
    if not asked.rules and (rater := next(found.votes.summed(), None)):
        raise DataError(
            f"{rater} in {folder} is no rater: these masks count how many of the others marked a pixel",
            expected="the masks of the raters alone",
            hint="say how masks are named, so that the counts are left out: --image PATTERN --mask PATTERN",
        )
    values = tuple(sorted({value for sets in found.values.values() for one in sets for value in one}))
    if not asked.rules and not asked.classes and found.votes.counts(values):
        raise DataError(
            f"the masks in {folder} look like counts of votes: one per case, from 0 to {values[-1]}, in steps of one",
            expected="a mask for each rater: who marked what cannot be told from counts",
            found=f"values {', '.join(map(str, values[:8]))}" + (", ..." if len(values) > 8 else ""),
            hint="import the masks of the raters; where the values are classes, name them: --classes "
            f"{','.join(['NAME'] * values[-1])}; --threshold {values[-1] // 2 + 1} takes the majority for one rater",
        )
    if found.votes.stacks and found.votes.one_hot and asked.rater_axis is None:
        raise DataError(
            f"the planes of the masks in {folder} look like classes, not raters: each pixel is in exactly one",
            expected="a plane for each rater",
            hint="save labels 0, 1, 2, ... in one plane; where they are raters: --rater-axis first or last",
        )
