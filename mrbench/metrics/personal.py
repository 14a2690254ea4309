"""Does a prediction made for a rater resemble that rater, and that rater more than the others?"""

import numpy as np

from mrbench.metrics.arrays import Array
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import dice_matrix, iou_matrix
from mrbench.metrics.protocol import STRICT, ScoringProtocol


def identified_of(dice: np.ndarray, own: int) -> float:
    """1 where ``own`` is the best of the Dice values ``(predictions,)``, 1/n in a tie of n, else 0."""
    best = dice == dice.max()
    return float(best[own] / best.sum())


@raters_first
def dice_rater(raters: Array, predictions: Array, *, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(R,)`` Dice of each rater's own prediction with that rater's mask.

    Args:
        raters: ``(R, *spatial)`` bool.
        predictions: ``(R, *spatial)`` bool, row r made for rater r.
        protocol: its epsilon; two empty masks have Dice 1.

    Raises:
        ValueError: not one prediction per rater.
    """
    _validate_rows(raters, predictions)
    return np.diagonal(dice_matrix(raters, predictions, protocol=protocol))


@raters_first
def iou(raters: Array, predictions: Array, *, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(R,)`` IoU of each rater's own prediction with that rater's mask; otherwise as :func:`dice_rater`."""
    _validate_rows(raters, predictions)
    return np.diagonal(iou_matrix(raters, predictions, protocol=protocol))


@raters_first
def rater_identification(raters: Array, predictions: Array) -> np.ndarray:
    """``(R,)`` is rater r's own prediction the nearest to rater r's mask by Dice? A tie of n counts 1/n; chance is 1/R.

    The Dice has no epsilon under any protocol, because it would break ties. Arguments and errors: ``dice_rater``.
    """
    _validate_rows(raters, predictions)
    dice = dice_matrix(raters, predictions)
    return np.array([identified_of(dice[:, r], r) for r in range(len(raters))])


def _validate_rows(raters: Array, predictions: Array) -> None:
    if len(predictions) != len(raters):
        raise ValueError(f"one prediction per rater is needed; got {len(predictions)} for {len(raters)} raters")
