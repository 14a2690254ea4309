"""Soft Dice: how the share of the samples compares with the share of the raters, at five thresholds."""

from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Predictions
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.arrays import Array, total
from mrbench.metrics.counting import levels, popcount, threshold_counts
from mrbench.metrics.keyed import by_class, one_per_rater
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import dice_ratio, validate_grids, validate_masks, validate_probabilities
from mrbench.metrics.protocol import STRICT, ScoringProtocol


def soft_dice_of(counts: np.ndarray, protocol: ScoringProtocol = STRICT) -> float:
    """Mean Dice over the thresholds from counts |A|, |B|, |A and B|, ``(5, 3)``; 1 where both are empty."""
    return float(dice_ratio(counts[:, 2], counts[:, 0] + counts[:, 1], protocol).mean())


def vote_counts(tables: CaseTables, label: int, predictions: Predictions) -> np.ndarray:
    """``(5, 3)`` counts |A|, |B|, |A and B| of A = share of the predictions > t and B = share of the raters > t."""
    _, votes, pattern, pixels = predictions.votes[predictions.votes[:, 0] == label].T
    predicted = levels(votes, len(predictions.rows))
    return threshold_counts(predicted, levels(popcount(pattern), len(tables.truth_rows)), pixels)


@raters_first
def dice_soft(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Soft Dice (ProSeg eq. 21) of the share of the samples; thresholds .1 .3 .5 .7 .9, strictly greater, exact ties.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` bool.
        protocol: its epsilon; a threshold that neither side exceeds anywhere counts 1.
    """
    validate_masks("samples", samples)
    return _soft_dice(raters, samples, protocol)


@raters_first
def dice_soft_prob(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Soft Dice of the mean probability, as the released code takes it.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` floats in [0, 1], whose mean is taken.
        protocol: as in :func:`dice_soft`.
    """
    validate_probabilities(samples)
    return _soft_dice(raters, samples, protocol)


def _soft_dice(raters: Array, samples: Array, protocol: ScoringProtocol) -> float:
    validate_masks("raters", raters)
    validate_grids(raters, samples)
    return soft_dice_of(threshold_counts(_levels(samples), _levels(raters)), protocol)


def _levels(stack: Array) -> np.ndarray:
    return levels(total(stack), len(stack))


_FACTS: Any = {
    "direction": "higher",
    "range": (0.0, 1.0),
    "empty": (
        "a threshold that neither side exceeds anywhere: Dice 1; a class absent in every mask is missing for K > 2"
    ),
}


@metric(
    "dice_soft",
    "Dice of the samples' share and the raters' share, mean over five thresholds",
    needs="samples",
    citation="ProSeg, eq. 21",
    **_FACTS,
)
def score_dice_soft(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean over t in .1 .3 .5 .7 .9 of Dice([share of samples > t], [share of raters > t]) (ProSeg eq. 21).

    The mean probability stands for the share of samples under protocols that say so; missing where it is not known.
    """
    return _of_protocol(tables, tables.samples, protocol)


@metric(
    "dice_soft_prob",
    "dice_soft with the mean probability",
    needs="samples",
    table=False,
    citation="released code of D-Persona",
    **_FACTS,
)
def score_dice_soft_prob(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """As ``dice_soft`` with the mean probability under every protocol."""
    samples = tables.samples
    return by_class(tables, samples.rows, lambda label: _of_probability(samples, label, protocol))


@metric(
    "dice_soft@raters",
    "dice_soft of the set with one prediction per rater",
    needs="raters",
    table=False,
    citation="ProSeg, eq. 21",
    **_FACTS,
)
def score_dice_soft_of_raters(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """As ``dice_soft``, with S = R."""
    return _of_protocol(tables, one_per_rater(tables), protocol)


def _of_protocol(tables: CaseTables, predictions: Predictions, protocol: ScoringProtocol) -> Statistics:
    def value(label: int) -> float | None:
        if protocol.soft == "votes":
            return soft_dice_of(vote_counts(tables, label, predictions), protocol)
        return _of_probability(predictions, label, protocol)

    return by_class(tables, predictions.rows, value)


def _of_probability(predictions: Predictions, label: int, protocol: ScoringProtocol) -> float | None:
    return None if predictions.soft is None else soft_dice_of(predictions.soft[label - 1], protocol)
