"""What raters marked, summed over the cases of an import, and which of it looks like a mistake."""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

COPY = 0.995
"""Dice from which two raters are copies of each other."""

EQUAL_SHARE = 0.25
"""Of the cases that two raters marked both, in which they have the same mask, above which somebody has to look."""

FEW = 3
"""Cases that two raters have to have marked both for anything to be said of the pair."""

INVERTED = 0.5
"""Dice with what a rater left free from which he is inverted, where it is more than with what he marked."""

Pair = tuple[str, str]


@dataclass
class Marks:
    """Counts of pixels, whatever the class.

    Attributes:
        values: pixels of each value in all masks.
        pixels, marked: by rater, of the masks and of what is marked in them.
        cases: by pair, those in which both marked something; what follows is of these alone.
        equal: by pair, those in which both masks are the same.
        both, sizes, of: by pair, the pixels that both marked, those that each of them marked, and all.
    """

    values: Counter[int] = field(default_factory=Counter)
    pixels: Counter[str] = field(default_factory=Counter)
    marked: Counter[str] = field(default_factory=Counter)
    cases: Counter[Pair] = field(default_factory=Counter)
    equal: Counter[Pair] = field(default_factory=Counter)
    both: Counter[Pair] = field(default_factory=Counter)
    sizes: Counter[tuple[Pair, str]] = field(default_factory=Counter)
    of: Counter[Pair] = field(default_factory=Counter)

    def add(self, masks: Mapping[str, np.ndarray]) -> None:
        """The masks of one case by rater, each ``(*spatial)`` bool."""
        sizes = {rater: int(np.count_nonzero(mask)) for rater, mask in masks.items()}
        for rater, mask in masks.items():
            self.pixels[rater] += mask.size
            self.marked[rater] += sizes[rater]
        for pair in combinations(sorted(rater for rater, size in sizes.items() if size), 2):
            first, second = pair
            shared = int(np.count_nonzero(masks[first] & masks[second]))
            self.both[pair] += shared
            self.equal[pair] += shared == sizes[first] == sizes[second]
            self.of[pair] += masks[first].size
            self.cases[pair] += 1
            for rater in pair:
                self.sizes[pair, rater] += sizes[rater]

    def dice(self, rater: str | None = None) -> float | None:
        """Of a rater with the others, or of all pairs, over all pixels; None where no two marked one case."""
        pairs = [pair for pair in self.cases if rater in (None, *pair)]
        total = sum(self.sizes[pair, one] for pair in pairs for one in pair)
        return 2 * sum(self.both[pair] for pair in pairs) / total if total else None

    def suspicions(self, shifted: Set[str] = frozenset()) -> Iterator[str]:
        """What looks like a mistake, a sentence each; of raters known as ``shifted`` not that they never overlap."""
        inverted = [rater for rater in sorted(self.pixels) if self._is_inverted(rater)]
        for rater in inverted:
            yield (
                f"{rater} marks what the others leave free: is 0 the foreground there? Then turn these masks over "
                "(--invert turns those of all raters)"
            )
        for pair in sorted(self.cases):
            first, second = pair
            if self.cases[pair] < FEW or first in inverted or second in inverted:
                continue
            if self.both[pair] == 0 and shifted.isdisjoint(pair):
                yield f"{first} and {second} never overlap: are masks of one of them mirrored, shifted or of others?"
            elif 2 * self.both[pair] >= COPY * (self.sizes[pair, first] + self.sizes[pair, second]):
                yield f"{first} and {second} are copies of each other, or nearly"
            elif self.equal[pair] > EQUAL_SHARE * self.cases[pair]:
                yield f"{first} and {second} have the same mask in {self.equal[pair]} of {self.cases[pair]} cases"

    def _is_inverted(self, rater: str) -> bool:
        """Do the others agree with his background, and with one another?"""
        pairs = [pair for pair in self.cases if rater in pair]
        own = sum(self.sizes[pair, rater] for pair in pairs)
        theirs = sum(self.sizes[pair, one] for pair in pairs for one in pair if one != rater)
        both, free = sum(self.both[pair] for pair in pairs), sum(self.of[pair] for pair in pairs) - own
        if not pairs or 2 * own < own + free:
            return False
        inverted = 2 * (theirs - both) / (free + theirs)
        return inverted > max(INVERTED, 2 * both / (own + theirs))
