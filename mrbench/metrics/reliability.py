"""Are predicted probabilities frequencies? Calibration error and Brier score against the raters."""

from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.arrays import Array
from mrbench.metrics.calibration import BINS, bins_of
from mrbench.metrics.keyed import by_class
from mrbench.metrics.order import raters_first
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.shares import Shares, count_shares, shares_of


def reliability_of(shares: Shares, bins: int = BINS) -> np.ndarray:
    """``(3, bins)`` float64 sums over pixels and raters, by bin of the prediction: 1, the prediction, the rater's mark.

    Additive over cases; :func:`calibration_error` makes them a number.
    """
    seen = shares.pixels * len(shares.raters)
    return _by_bin(shares, (seen, seen * shares.predicted, shares.pixels * shares.marked), bins)


def _by_bin(shares: Shares, columns: tuple[np.ndarray, ...], bins: int) -> np.ndarray:
    if bins < 1:
        raise ValueError(f"bins must be at least 1; got {bins}")
    at = bins_of(shares.predicted, bins)
    return np.stack([np.bincount(at, column, minlength=bins) for column in columns])


def calibration_error(reliability: np.ndarray) -> float:
    """Mean over the observations of abs(mean prediction - frequency) of their bin, from ``(3, bins)``."""
    seen, predicted, marked = reliability
    return float(np.abs(predicted - marked).sum() / seen.sum())


def brier_of(shares: Shares) -> float:
    """Mean of (prediction - mark)^2 over pixels and raters."""
    marked, unmarked = shares.marked, len(shares.raters) - shares.marked
    errors = marked * (1 - shares.predicted) ** 2 + unmarked * shares.predicted**2
    return float(shares.pixels @ errors / (shares.pixels.sum() * len(shares.raters)))


@raters_first
def ece(raters: Array, samples: Array, *, bins: int = BINS) -> float:
    """Expected calibration error of the foreground probability against the raters pooled (Guo et al. 2017, eq. 3).

    Every pair of a pixel and a rater is an observation. Bins have equal width and hold their upper edge. The error of
    several cases is that of their pooled pixels, not the mean of theirs: lay them along an axis of ``*spatial``.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` floats in [0, 1], whose mean is scored, or bool, whose share is. Empty masks are
            predictions of 0 like any other.
        bins: their number.

    Returns:
        0 (calibrated) to 1.

    Raises:
        ValueError: types, grids or probabilities that do not fit; no bins.
    """
    return calibration_error(reliability_of(count_shares(raters, samples), bins))


@raters_first
def ece_rater(raters: Array, samples: Array, *, bins: int = BINS) -> np.ndarray:
    """``(R,)`` :func:`ece` against each rater alone."""
    shares = count_shares(raters, samples)
    seen = shares.pixels, shares.pixels * shares.predicted
    return np.array([calibration_error(_by_bin(shares, (*seen, shares.pixels * m), bins)) for m in shares.marked_by])


@raters_first
def brier(raters: Array, samples: Array) -> float:
    """Brier score of the foreground probability: mean of (p - mark)^2 over pixels and raters (Brier 1950, binary).

    It is :func:`brier_share` and the raters' own variance, which no prediction avoids. Arguments and errors: ``ece``.
    """
    return brier_of(count_shares(raters, samples))


@raters_first
def brier_rater(raters: Array, samples: Array) -> np.ndarray:
    """``(R,)`` :func:`brier` against each rater alone; its mean is :func:`brier`."""
    shares = count_shares(raters, samples)
    errors = (shares.predicted - shares.marked_by) ** 2
    return errors @ shares.pixels / shares.pixels.sum()


@raters_first
def brier_share(raters: Array, samples: Array) -> float:
    """Mean of (p - share of the raters)^2 over the pixels: 0 where the prediction is that share. Else as ``ece``."""
    shares = count_shares(raters, samples)
    errors = (shares.predicted - shares.marked / len(shares.raters)) ** 2
    return float(shares.pixels @ errors / shares.pixels.sum())


_FACTS: Any = {
    "direction": "lower",
    "range": (0.0, 1.0),
    "needs": "samples",
    "table": False,
    "empty": "an empty mask predicts, or is, 0 everywhere",
}


@metric(
    "ece_votes",
    "calibration error of the samples' share against the raters pooled, 15 bins, pixels of a fold together",
    pooled=lambda total: calibration_error(total.reshape(3, -1)),
    citation="Guo et al. 2017",
    **_FACTS,
)
def score_ece_votes(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """Sum over the bins of abs(sum of shares - sum of marks) / number of pairs of a pixel and a rater: :func:`ece`."""
    return by_class(tables, tables.sample_rows, lambda label: reliability_of(shares_of(tables, label)))


@metric(
    "brier_votes",
    "squared difference of the samples' share and the raters' marks, mean over pixels and raters",
    citation="Brier 1950",
    **_FACTS,
)
def score_brier_votes(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """Mean over pixels and raters of (v / S - mark)^2 where v of S samples mark the pixel: :func:`brier`."""
    return by_class(tables, tables.sample_rows, lambda label: brier_of(shares_of(tables, label)))
