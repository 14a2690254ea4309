"""Soft Dice: how the share of the samples compares with the share of the raters, at five thresholds."""

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Predictions
from mrbench.metrics.arrays import Array, total
from mrbench.metrics.counting import levels, popcount, threshold_counts
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
