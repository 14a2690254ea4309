"""The Brier score in parts: reliability, resolution and uncertainty, exact whatever is binned."""

from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.calibration import BINS, Calibration
from mrbench.metrics.keyed import by_class
from mrbench.metrics.protocol import ScoringProtocol


def bin_sums_of(found: Calibration) -> np.ndarray:
    """``(5, 15)`` sums over pairs of a pixel and a rater by bin of p: 1, p, mark, p^2 and p times mark; additive."""
    r, marks = len(found.raters), found.marked_by.sum(axis=0)
    columns = (r * found.pixels, r * found.total, marks * found.pixels, r * found.square, marks * found.total)
    return np.stack([np.bincount(found.bins, column, BINS) for column in columns])


def reliability(total: np.ndarray) -> float:
    """Mean over the pairs of (mean p - frequency)^2 of their bin, from summed ``(75,)``."""
    seen, p, marks = total.reshape(5, BINS)[:3]
    return _over(np.square(p - marks), seen) / float(seen.sum())


def resolution(total: np.ndarray) -> float:
    """Generalised resolution: mean over the pairs of (frequency of their bin - base rate)^2, with what bins hide.

    That is twice the covariance of p and mark within bins, less the variance of p within bins (Stephenson et al. 2008,
    eq. 12): without it the parts do not add up.
    """
    seen, p, marks, squares, products = total.reshape(5, BINS)
    n = float(seen.sum())
    between = _over(np.square(marks), seen) / n - (marks.sum() / n) ** 2
    variance = (squares.sum() - _over(np.square(p), seen)) / n
    covariance = (products.sum() - _over(p * marks, seen)) / n
    return float(between + 2 * covariance - variance)


def uncertainty(total: np.ndarray) -> float:
    """Base rate times its complement: the score of the base rate itself."""
    seen, _, marks = total.reshape(5, BINS)[:3]
    rate = float(marks.sum() / seen.sum())
    return rate * (1 - rate)


def _over(sums: np.ndarray, seen: np.ndarray) -> float:
    return float(np.divide(sums, seen, out=np.zeros_like(sums), where=seen > 0).sum())


_FACTS: Any = {
    "needs": "samples",
    "table": False,
    "citation": "Murphy 1973; Stephenson et al. 2008",
    "empty": "empty masks are marks of 0 like any other; a class absent in every mask is missing for K > 2",
}


@metric(
    "brier_reliability",
    "part of brier: squared distance of probability and frequency in 15 bins, pixels of a fold together",
    direction="lower",
    range=(0.0, 1.0),
    pooled=reliability,
    **_FACTS,
)
def score_brier_reliability(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """``(75,)``: number, p, mark, p^2 and p mark, summed by bin of the samples' mean probability p.

    Reliability - resolution + uncertainty is the mean of (p - mark)^2 over all pairs of a pixel and a rater of a fold,
    exactly; ``brier`` is the same where cases have as many pixels and raters each, and subjects as many cases. Missing
    where the mean probability is not known.
    """
    return _bin_sums(tables)


@metric(
    "brier_resolution",
    "part of brier, less of it is worse: how far the frequencies of bins, and probabilities within them, tell pixels "
    "apart",
    direction="higher",
    range=(-1.0, 0.25),
    pooled=resolution,
    **_FACTS,
)
def score_brier_resolution(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """As ``brier_reliability``: mean (frequency - base rate)^2, + 2 cov(p, mark) - var(p) within bins."""
    return _bin_sums(tables)


@metric(
    "brier_uncertainty",
    "part of brier: that of the base rate, which no method changes",
    direction="neither",
    range=(0.0, 0.25),
    pooled=uncertainty,
    **_FACTS,
)
def score_brier_uncertainty(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """As ``brier_reliability``: base rate (1 - base rate) of the raters' marks."""
    return _bin_sums(tables)


def _bin_sums(tables: CaseTables) -> Statistics:
    samples = tables.samples
    rows = samples.rows[:0] if samples.calibration is None else samples.rows
    return by_class(tables, rows, lambda label: bin_sums_of(Calibration.of(tables, label, samples)))
