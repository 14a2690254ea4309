"""Which sample comes nearest to which rater: the best ones, and the best one-to-one assignment."""

import numpy as np

from mrbench.metrics.arrays import Array
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import dice_matrix
from mrbench.metrics.protocol import STRICT, ScoringProtocol


def matched_of(dice: np.ndarray) -> np.ndarray | None:
    """``(R,)`` Dice of the sample that each rater gets in the assignment of the greatest sum; None where S < R.

    ``dice`` is ``(S, R)``. The worked example of ProSeg's Fig. 5 assigns greedily; the released code, and this
    function, find the optimum. Where several assignments have the greatest sum, each rater's value depends on which of
    them is found; the mean does not.
    """
    from scipy.optimize import linear_sum_assignment

    if len(dice) < dice.shape[1]:
        return None
    rows, columns = linear_sum_assignment(dice, maximize=True)
    matched = np.empty(dice.shape[1])
    matched[columns] = dice[rows, columns]
    return matched


@raters_first
def dice_max(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Mean over the raters of the best sample's Dice (D_max of the papers); rises with S.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` bool.
        protocol: its epsilon; two empty masks have Dice 1.
    """
    return float(dice_matrix(raters, samples, protocol=protocol).max(axis=0).mean())


@raters_first
def dice_max_reverse(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Mean over the samples of the best rater's Dice: are all samples like somebody's mask? Arguments: ``dice_max``."""
    return float(dice_matrix(raters, samples, protocol=protocol).max(axis=1).mean())


@raters_first
def dice_matched(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> np.ndarray:
    """``(R,)`` Dice of each rater in the one-to-one assignment of samples to raters with the greatest sum.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` bool, S >= R.
        protocol: its epsilon; two empty masks have Dice 1.

    Raises:
        ValueError: fewer samples than raters.
    """
    matched = matched_of(dice_matrix(raters, samples, protocol=protocol))
    if matched is None:
        raise ValueError(f"an assignment needs a sample for every rater; got {len(samples)} for {len(raters)}")
    return matched


@raters_first
def dice_match(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Mean of :func:`dice_matched`; rises with S and is blind to which sample belongs to which rater."""
    return float(dice_matched(raters, samples, protocol=protocol).mean())
