"""Which sample comes nearest to which rater: the best ones, and the best one-to-one assignment."""

from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Overlaps
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.arrays import Array
from mrbench.metrics.keyed import of_overlaps, one_per_rater
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import DICE_OF_EMPTY, dice_matrix, dice_of
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


_FACTS: Any = {"direction": "higher", "range": (0.0, 1.0), "empty": DICE_OF_EMPTY}
_OF_SAMPLES: Any = {"needs": "samples", "citation": "D-Persona", **_FACTS}
_OF_RATERS: Any = {"needs": "raters", "table": False, "citation": "D-Persona", **_FACTS}


@metric("dice_max", "mean over the raters of the best sample's Dice", **_OF_SAMPLES)
def score_dice_max(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean over r of max over s of Dice(s, r): D_max of the papers."""
    return of_overlaps(tables, tables.samples, lambda overlaps: _best_of(overlaps, protocol, axis=0))


@metric("dice_max_reverse", "mean over the samples of the best rater's Dice", needs="samples", table=False, **_FACTS)
def score_dice_max_reverse(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean over s of max over r of Dice(s, r)."""
    return of_overlaps(tables, tables.samples, lambda overlaps: _best_of(overlaps, protocol, axis=1))


@metric("dice_max@raters", "dice_max of the set with one prediction per rater", **_OF_RATERS)
def score_dice_max_of_raters(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """As ``dice_max``, with S = R."""
    return of_overlaps(tables, one_per_rater(tables), lambda overlaps: _best_of(overlaps, protocol, axis=0))


@metric("dice_match", "mean Dice under the best one-to-one assignment of samples to raters", **_OF_SAMPLES)
def score_dice_match(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean over r of Dice(s(r), r) under the one-to-one s that maximises it; missing where S < R."""
    return of_overlaps(tables, tables.samples, lambda overlaps: _mean_matched(overlaps, protocol))


@metric("dice_match@raters", "dice_match of the set with one prediction per rater", **_OF_RATERS)
def score_dice_match_of_raters(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """As ``dice_match``, with S = R."""
    return of_overlaps(tables, one_per_rater(tables), lambda overlaps: _mean_matched(overlaps, protocol))


def _best_of(overlaps: Overlaps, protocol: ScoringProtocol, axis: int) -> float:
    return float(dice_of(overlaps, protocol).max(axis=axis).mean())


def _mean_matched(overlaps: Overlaps, protocol: ScoringProtocol) -> float | None:
    matched = matched_of(dice_of(overlaps, protocol))
    return None if matched is None else float(matched.mean())
