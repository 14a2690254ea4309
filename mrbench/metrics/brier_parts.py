"""The Brier score in parts: reliability, resolution and uncertainty, exact whatever is binned.

Every pair of a pixel and a rater is an observation of a probability p and a mark. Parts are of the observations of a
fold together: a single case has too few to say whether probabilities are frequencies.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.calibration import BINS, Calibration
from mrbench.metrics.keyed import by_class
from mrbench.metrics.protocol import ScoringProtocol


def bin_errors(found: Calibration) -> np.ndarray:
    """``(30,)`` sums by bin of p: of observations, and of p - mark."""
    r, marks = len(found.raters), found.marked_by.sum(axis=0)
    columns = (r * found.pixels, r * found.total - marks * found.pixels)
    return np.concatenate([np.bincount(found.bins, column, BINS) for column in columns])


def mark_counts(found: Calibration) -> np.ndarray:
    """``(2,)`` observations and marks."""
    marks = found.marked_by.sum(axis=0)
    return np.array([len(found.raters) * found.pixels.sum(), marks @ found.pixels], float)


def squared_errors(found: Calibration) -> float:
    """Sum of (p - mark)^2."""
    r, marks = len(found.raters), found.marked_by.sum(axis=0)
    return float((r * found.square - 2 * marks * found.total + marks * found.pixels).sum())


def reliability(total: np.ndarray) -> float:
    """Mean of (mean p - frequency)^2 of an observation's bin, from summed :func:`bin_errors`."""
    seen, errors = total.reshape(2, BINS)
    squares = np.divide(np.square(errors), seen, out=np.zeros_like(errors), where=seen > 0)
    return float(squares.sum() / seen.sum())


def uncertainty(total: np.ndarray) -> float:
    """Base rate times its complement, the score of the base rate itself, from summed :func:`mark_counts`."""
    seen, marks = total
    return float(marks / seen * (1 - marks / seen))


def resolution(total: np.ndarray) -> float:
    """What the score is below the sum of the other two, from summed ``(33,)``: all of the statistics above."""
    counts, squares = total[2 * BINS : -1], total[-1]
    return reliability(total[: 2 * BINS]) + uncertainty(counts) - float(squares / counts[0])


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
    """Mean over observations of (mean p - frequency)^2 of their bin, p the samples' mean probability.

    Reliability - resolution + uncertainty is the mean of (p - mark)^2 over all pairs of a pixel and a rater of a fold,
    exactly; ``brier`` is the same where cases have as many pixels and raters each, and subjects as many cases. Missing
    where the mean probability is not known.
    """
    return _of_calibration(tables, bin_errors)


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
    """As ``brier_reliability``: mean (frequency of the bin - base rate)^2, + 2 cov(p, mark) - var(p) within bins.

    The latter two are what binning hides (Stephenson et al. 2008): with them the parts add up.
    """
    return _of_calibration(
        tables, lambda own: np.concatenate([bin_errors(own), mark_counts(own), [squared_errors(own)]])
    )


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
    return _of_calibration(tables, mark_counts)


def _of_calibration(tables: CaseTables, statistics: Callable[[Calibration], np.ndarray]) -> Statistics:
    samples = tables.samples
    rows = samples.rows[:0] if samples.calibration is None else samples.rows
    return by_class(tables, rows, lambda label: statistics(Calibration.of(tables, label, samples)))
