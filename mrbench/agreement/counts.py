"""One case as the counts that everything about its raters follows from.

Axis letters: F foreground classes, P decision patterns.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mrbench.consensus import Staple


@dataclass(frozen=True, eq=False)
class CaseCounts:
    """What the raters of one case marked.

    Attributes:
        looked: ``(R,)`` bool.
        decisions: ``(R, P)`` labels in each pattern; K where the rater is absent.
        counts: ``(P,)`` int64 pixels of each pattern.
        sensitivity, specificity: ``(F, R)`` by STAPLE; NaN of absent raters, where fewer than two looked, and where the
            estimated truth has no pixel to measure a rate on.
        classes: K, background included.
    """

    looked: np.ndarray
    decisions: np.ndarray
    counts: np.ndarray
    sensitivity: np.ndarray
    specificity: np.ndarray
    classes: int

    @classmethod
    def of(cls, estimate: Staple, looked: np.ndarray) -> "CaseCounts":
        """From STAPLE's estimate of the case, which holds the patterns of the raters who looked."""
        classes = len(estimate.weights)
        decisions = np.full((len(looked), len(estimate.patterns.counts)), classes)
        decisions[looked] = estimate.patterns.decisions
        sensitivity, specificity = _rates(estimate)
        if np.count_nonzero(looked) < 2:
            sensitivity, specificity = np.full_like(sensitivity, np.nan), np.full_like(specificity, np.nan)
        return cls(looked, decisions, estimate.patterns.counts, sensitivity, specificity, classes)

    @cached_property
    def marks(self) -> np.ndarray:
        """``(F, R, P)`` float64, 1 where a rater gives a pattern's pixels the class."""
        return (self.decisions == np.arange(1, self.classes)[:, None, None]).astype(np.float64)

    @cached_property
    def shared(self) -> np.ndarray:
        """``(F, R, R)`` int64 pixels that two raters share; the diagonal holds the areas."""
        return ((self.marks * self.counts) @ self.marks.transpose(0, 2, 1)).astype(np.int64)

    @property
    def areas(self) -> np.ndarray:
        """``(F, R)`` int64 pixels."""
        return np.diagonal(self.shared, axis1=1, axis2=2)

    @cached_property
    def scored(self) -> np.ndarray:
        """``(F,)`` bool: with K > 2, a class that nobody marked here has no value here."""
        return np.logical_or(self.areas.any(axis=1), self.classes == 2)

    @cached_property
    def pairs(self) -> np.ndarray:
        """``(R, R)`` bool, the two looked both."""
        return np.logical_and.outer(self.looked, self.looked)

    @cached_property
    def votes(self) -> np.ndarray:
        """``(K, P)`` int64, how many raters gave each label."""
        return np.stack([np.count_nonzero(self.decisions == label, axis=0) for label in range(self.classes)])


def _rates(estimate: Staple) -> tuple[np.ndarray, np.ndarray]:
    """``(F, R)`` sensitivity P(D = s | T = s) and specificity 1 - P(D = s | T != s) of every foreground class s."""
    mass = estimate.weights @ estimate.patterns.counts  # (K,) expected pixels of each true label
    confusion = estimate.confusion  # (R, K, K), NaN of absent raters
    inside, outside = [], []
    for label in range(1, len(mass)):
        others = np.arange(len(mass)) != label
        wrong = confusion[:, label, others] @ mass[others]
        inside.append(confusion[:, label, label] if mass[label] > 0 else np.full(len(confusion), np.nan))
        rest = mass[others].sum()
        outside.append(1 - wrong / rest if rest > 0 else np.full(len(confusion), np.nan))
    return np.array(inside), np.array(outside)
