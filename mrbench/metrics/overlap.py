"""IoU and Dice of every predicted mask with every rater, from intersection counts."""

from functools import lru_cache

import numpy as np

from mrbench.interfaces.case_tables import Overlaps
from mrbench.metrics.arrays import Array, intersect, is_floating, type_name
from mrbench.metrics.order import raters_first
from mrbench.metrics.protocol import STRICT, ScoringProtocol

DICE_OF_EMPTY = "two empty masks: Dice 1; a class absent in every mask is missing for K > 2"
"""What metrics that are means of Dice do on empty masks."""


@lru_cache(maxsize=16)
def iou_of(overlaps: Overlaps, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(M, M)`` IoU of all masks with each other; ``protocol.empty_iou`` where both are empty.

    The latest are remembered, here and of :func:`dice_of`, because several metrics start from them: read only.
    """
    union = overlaps.totals - overlaps.shared
    empty = np.full(union.shape, protocol.empty_iou, np.float64)
    return _read_only(np.divide(overlaps.shared, union + protocol.epsilon, out=empty, where=union > 0))


@lru_cache(maxsize=16)
def dice_of(overlaps: Overlaps, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(S, R)`` Dice of each predicted mask with each rater, read only; 1 where both are empty."""
    s = overlaps.n_predicted
    shared, total = overlaps.shared[:s, s:], overlaps.totals[:s, s:]
    return _read_only(dice_ratio(shared, total, protocol))


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def dice_ratio(shared: np.ndarray, total: np.ndarray, protocol: ScoringProtocol) -> np.ndarray:
    """Dice from shared pixels and summed areas of one shape; 1 where both masks are empty."""
    both_empty = np.ones(total.shape)
    return np.divide(2 * shared + protocol.epsilon, total + protocol.epsilon, out=both_empty, where=total > 0)


def count_overlaps(raters: Array, samples: Array) -> Overlaps:
    """Overlaps of boolean masks ``(R, *spatial)`` and ``(S, *spatial)``; tensors are counted on their device.

    Raises:
        ValueError: masks that are not boolean, of different grids, or none.
    """
    validate_masks("raters", raters)
    validate_masks("samples", samples)
    validate_grids(raters, samples)
    return Overlaps(intersect(samples, raters), len(samples))


def validate_masks(name: str, masks: Array) -> None:
    """Refuses what is not a stack of at least one boolean mask."""
    if type_name(masks) != "bool":
        raise ValueError(f"{name} must be boolean masks, e.g. labels == 1; got {type_name(masks)}")
    if masks.ndim < 2 or len(masks) == 0:
        raise ValueError(f"{name} must be (masks, *spatial) with at least one mask; got shape {tuple(masks.shape)}")


def validate_probabilities(samples: Array) -> None:
    """Refuses what is not a stack of at least one map of floats."""
    if not is_floating(samples) or samples.ndim < 2 or len(samples) == 0:
        raise ValueError(
            "samples must be probabilities, floats (S, *spatial) with S >= 1; "
            f"got {type_name(samples)} of shape {tuple(np.shape(samples))}"
        )


def validate_grids(raters: Array, samples: Array) -> None:
    """Refuses raters and samples on different grids."""
    grids = tuple(raters.shape[1:]), tuple(samples.shape[1:])
    if grids[0] != grids[1]:
        raise ValueError(f"raters lie on the grid {grids[0]}, samples on {grids[1]}")


@raters_first
def iou_matrix(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(S, R)`` IoU of every sample with every rater, a row for each sample.

    Args:
        raters: ``(R, *spatial)`` bool.
        samples: ``(S, *spatial)`` bool. The two sets exchanged give the transpose.
        protocol: of two empty masks, ``strict`` says IoU 1, ``published`` IoU 0; its epsilon.

    Raises:
        ValueError: masks that are not boolean, of different grids, or none.
    """
    overlaps = count_overlaps(raters, samples)
    return iou_of(overlaps, protocol)[: len(samples), len(samples) :].copy()


@raters_first
def dice_matrix(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(S, R)`` Dice of every sample with every rater, a row for each sample; two empty masks: 1.

    Arguments and errors: :func:`iou_matrix`.
    """
    return dice_of(count_overlaps(raters, samples), protocol).copy()
