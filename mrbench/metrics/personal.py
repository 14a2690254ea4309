"""Does a prediction made for a rater resemble that rater, and that rater more than the others?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Overlaps
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.arrays import Array
from mrbench.metrics.keyed import by_rater
from mrbench.metrics.matching import matched_of
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import DICE_OF_EMPTY, dice_matrix, dice_of, dice_ratio, iou_matrix, iou_of
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


_FACTS: Any = {"direction": "higher", "range": (0.0, 1.0), "needs": "raters"}


@metric("dice_rater", "Dice of each rater's own prediction", identified=True, empty=DICE_OF_EMPTY, **_FACTS)
def score_dice_rater(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Dice(own prediction of r, r), mean over the rater's draws; of the consensus where the rater has none.

    Under protocols that match: of draw 0 of the raters, the one that the best one-to-one assignment gives to r; missing
    where raters outnumber predictions.
    """
    return _dice_of_own(tables, protocol)


@metric("dice_rank", "Dice of the prediction made for each rank by area", ranked=True, empty=DICE_OF_EMPTY, **_FACTS)
def score_dice_rank(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """As ``dice_rater``, of raters who are ranks: an order statistic of the areas, which says nothing of a person."""
    return _dice_of_own(tables, protocol)


def _dice_of_own(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    def values(label: int) -> Mapping[int, float]:
        if protocol.rater == "own":
            return _own_means(tables, dice_of(_all_overlaps(tables, label), protocol))
        matched = matched_of(dice_of(tables.overlaps(label, tables.rater_rows), protocol))
        return {} if matched is None else dict(zip(tables.truth_raters.tolist(), matched.tolist(), strict=True))

    return by_rater(tables, tables.rater_rows, values)


@metric(
    "dice_rater_mean",
    "Dice of the mean probability of each rater's own predictions, above one half",
    identified=True,
    table=False,
    empty=DICE_OF_EMPTY,
    **_FACTS,
)
def score_dice_rater_mean(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Dice([mean probability of the rater's draws > 1/2], r); of the consensus where the rater has none."""

    def values(label: int) -> Mapping[int, float]:
        raters = [rater for rater in tables.truth_raters.tolist() if len(tables.rows_of(rater))]
        area, shared = tables.rater_means[label - 1, raters].T
        total = area + tables.areas[label - 1, tables.n_predicted + np.array(raters, np.int64)]
        return dict(zip(raters, dice_ratio(shared, total, protocol).tolist(), strict=True))

    return by_rater(tables, tables.rater_rows, values)


@metric(
    "rater_identification",
    "share of the raters whose own prediction is the nearest to their mask; chance is 1/R",
    identified=True,
    empty=DICE_OF_EMPTY,
    **_FACTS,
)
def score_rater_identification(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Is draw 0 of r the nearest to r's mask, by Dice, of all raters' draws 0? A tie of n counts 1/n.

    Missing unless every rater has a prediction: among fewer, chance would not be 1/R.
    """
    if not tables.predicts_every_rater:
        return {}
    # An epsilon would break exact ties between masks of different sizes.
    exact = replace(protocol, epsilon=0.0)
    place = {rater: row for row, rater in enumerate(tables.set_raters.tolist())}

    def values(label: int) -> Mapping[int, float]:
        dice = dice_of(tables.overlaps(label, tables.rater_rows), exact)
        return {
            rater: identified_of(dice[:, at], place[rater]) for at, rater in enumerate(tables.truth_raters.tolist())
        }

    return by_rater(tables, tables.rater_rows, values)


@metric(
    "iou",
    "IoU of each rater's own prediction, or of the consensus",
    table=False,
    empty="two empty masks: IoU 1 (strict) or 0 (published); a class absent in every mask is missing for K > 2",
    **_FACTS,
)
def score_iou(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """IoU(own prediction of r, r), mean over the rater's draws; of the consensus where the rater has none."""

    def values(label: int) -> Mapping[int, float]:
        overlaps = _all_overlaps(tables, label)
        s = overlaps.n_predicted
        return _own_means(tables, iou_of(overlaps, protocol)[:s, s:])

    return by_rater(tables, tables.rater_rows, values)


def _all_overlaps(tables: CaseTables, label: int) -> Overlaps:
    return tables.overlaps(label, np.arange(tables.n_predicted))


def _own_means(tables: CaseTables, scores: np.ndarray) -> dict[int, float]:
    """Mean of the rows of each rater's own predictions in that rater's column of ``(S + P + C, R)``."""
    own = [(rater, scores[tables.rows_of(rater), at]) for at, rater in enumerate(tables.truth_raters.tolist())]
    return {rater: float(values.mean()) for rater, values in own if len(values)}
