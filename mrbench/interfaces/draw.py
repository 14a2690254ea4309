"""One segmentation that a method or a fusion gives for an image."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class DrawKind(StrEnum):
    """What a draw stands for."""

    SAMPLE = "sample"
    """Drawn for the image, tied to no rater."""
    RATER = "rater"
    """Made in the style of one rater."""
    CONSENSUS = "consensus"
    """The one answer of a method that gives no more."""


@dataclass(frozen=True, eq=False)
class Draw:
    """One segmentation.

    Attributes:
        kind: what it stands for.
        probability: ``(K, *spatial)`` float, summing to one over K; K counts the background (class 0).
        rater: the rater's column for ``DrawKind.RATER``, else None.
    """

    kind: DrawKind
    probability: np.ndarray
    rater: int | None = None


def binary_probability(foreground: np.ndarray) -> np.ndarray:
    """``(2, *spatial)`` probabilities from those of the foreground, ``(*spatial)``."""
    return np.stack([1 - foreground, foreground])


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """``(K, *spatial)`` float32 certainty in the given labels, ``(*spatial)`` integers below K."""
    return (labels[None] == np.arange(classes).reshape(-1, *(1,) * labels.ndim)).astype(np.float32)
