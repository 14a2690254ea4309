"""Does a rater write another value than the others for the same thing?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from mrbench.data.importing.labels import Labels

MOSTLY = 0.5
"""Share of what a rater gives a class of his own, of that which others mark too, that has to lie in one class there."""


@dataclass
class Codes:
    """Which values meet.

    Attributes:
        pixels: by rater, his value and another rater's value at the same pixel, both above 0.
        used: by rater, the values above 0 that he writes.
    """

    pixels: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    used: dict[str, set[int]] = field(default_factory=dict)

    def add(self, labels: Mapping[str, np.ndarray], found: Mapping[str, tuple[int, ...]]) -> None:
        """The masks of one case by rater, each ``(*spatial)`` unsigned, and the values in each."""
        marked = {rater: set(values) - {0} for rater, values in found.items()}
        for rater, values in marked.items():
            self.used.setdefault(rater, set()).update(values)
        if len(set().union(*marked.values())) < 2:
            return
        for first, second in combinations(labels, 2):
            both = (labels[first] > 0) & (labels[second] > 0)
            pairs = labels[first][both].astype(np.int64) << 16 | labels[second][both]
            for pair, n in zip(*np.unique(pairs, return_counts=True), strict=True):
                one, other = int(pair) >> 16, int(pair) & 0xFFFF
                self.pixels[first, one, other] += int(n)
                self.pixels[second, other, one] += int(n)

    def suspicions(self, labels: Labels) -> Iterator[str]:
        """A sentence for each class that one rater alone writes, where the others write one that he never does."""
        named = {value: int(labels.classes_of(np.array(value))) for used in self.used.values() for value in used}
        classes = {rater: {named[value] for value in used} for rater, used in sorted(self.used.items()) if used}
        for rater, own in classes.items():
            others = set().union(*(theirs for name, theirs in classes.items() if name != rater))
            for mine in sorted(own - others):
                theirs = self._elsewhere(rater, mine, named)
                if theirs in others - own and not (len(classes) == 2 and rater != min(classes)):
                    yield self._told(rater, mine, theirs, named)

    def _elsewhere(self, rater: str, mine: int, named: Mapping[int, int]) -> int | None:
        """The class that the others write for most of it."""
        met = Counter[int]()
        for (name, one, other), n in self.pixels.items():
            if name == rater and named[one] == mine:
                met[named[other]] += n
        best, n = met.most_common(1)[0] if met else (None, 0)
        return best if n > MOSTLY * sum(met.values()) else None

    def _told(self, rater: str, mine: int, theirs: int, named: Mapping[int, int]) -> str:
        value, other = (min(one for one, k in named.items() if k == number) for number in (mine, theirs))
        who = "the others write" if len(self.used) > 2 else f"{next(one for one in self.used if one != rater)} writes"
        return f"{rater} writes {value} where {who} {other}: one class? Then --labels {other}=NAME,{value}=NAME"
