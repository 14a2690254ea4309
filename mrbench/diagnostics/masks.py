"""Distances of masks from their intersection counts: d = 1 - IoU, two empty masks at distance 0.

Axis letters: M masks, S draws, F = K - 1 foreground classes.
"""

import numpy as np

from mrbench.interfaces.case_tables import Overlaps
from mrbench.interfaces.draw import one_hot
from mrbench.metrics.counting import count_intersections, pack_masks
from mrbench.metrics.overlap import dice_of, iou_of
from mrbench.metrics.tables import binarise


def packed(probabilities: np.ndarray) -> np.ndarray:
    """``(S, F, bytes)`` masks as a run stores them, of probabilities ``(S, K, *spatial)``."""
    return np.stack([pack_masks(binarise(each).reshape(len(each) - 1, -1)) for each in probabilities])


def packed_labels(labels: np.ndarray, classes: int) -> np.ndarray:
    """``(S, F, bytes)`` of labels ``(S, *spatial)`` below K."""
    return packed(np.stack([one_hot(each, classes) for each in labels]))


def distances(masks: np.ndarray) -> np.ndarray:
    """``(M, M)`` distances of packed masks ``(M, F, bytes)`` under the protocol ``strict``: mean over the classes.

    With F > 1 the classes that some mask holds; NaN where there is none.
    """
    every = masks.shape[1] == 1
    each = [_of_class(masks[:, f]) for f in range(masks.shape[1]) if every or masks[:, f].any()]
    return np.mean(each, axis=0) if each else np.full((len(masks), len(masks)), np.nan)


def dice_on(masks: np.ndarray, rater: np.ndarray) -> float:
    """Mean Dice of packed masks ``(S, F, bytes)`` on one rater's, ``(F, bytes)``, over draws and classes."""
    both = np.concatenate([masks, rater[None]])
    return float(np.mean([dice_of(_overlaps(both[:, f], len(masks))) for f in range(masks.shape[1])]))


def _of_class(masks: np.ndarray) -> np.ndarray:
    return 1 - iou_of(_overlaps(masks, len(masks)))


def _overlaps(masks: np.ndarray, predicted: int) -> Overlaps:
    return Overlaps(count_intersections(masks), predicted)


def mean_of_pairs(distance: np.ndarray) -> float:
    """Mean over the pairs of two different masks of a square ``(M, M)``; NaN where there are none."""
    m = len(distance)
    return float((distance.sum() - np.trace(distance)) / (m * (m - 1))) if m > 1 else float("nan")
