"""Where do the samples vary, and is it where the raters do? Normalised cross-correlation of two maps."""

from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Key, Statistics, metric
from mrbench.metrics.arrays import Array
from mrbench.metrics.keyed import by_class
from mrbench.metrics.order import raters_first
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.shares import Shares, count_votes, shares_of


def ncc_of(shares: Shares) -> float | None:
    """:func:`ncc` from votes."""
    own, theirs = _variance(shares.total, shares.n), _variance(shares.marked, len(shares.raters))
    return None if _is_constant(theirs) else _correlate(own, theirs, shares.pixels)


def ncc_phiseg_of(shares: Shares) -> float:
    """:func:`ncc_phiseg` from votes."""
    own = _variance(shares.total, shares.n)
    errors = np.where(shares.marked_by, shares.n - shares.total, shares.total)
    return float(np.mean([_correlate(own, error, shares.pixels) for error in errors]))


@raters_first
def ncc(raters: Array, samples: Array) -> float | None:
    """Normalised cross-correlation of the samples' variance map v (S - v) / S^2 with the raters' one.

    The idea of PHiSeg's S_NCC (Baumgartner et al. 2019) with variances on both sides; :func:`ncc_phiseg` is the
    published quantity.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` bool; v of them mark a pixel.

    Returns:
        -1 to 1, higher is better. 0 where the samples' map is constant, as of a single sample or of empty ones. None
        where the raters' map is (they agree everywhere, or there is one): then nothing can be told of any method.

    Raises:
        ValueError: masks that are not boolean, or of different grids.
    """
    return ncc_of(count_votes(raters, samples))


@raters_first
def ncc_phiseg(raters: Array, samples: Array) -> float:
    """S_NCC of PHiSeg (Baumgartner et al. 2019), -1 to 1: mean over the raters of a correlation of two maps.

    One is the cross-entropy of the samples with their mean, the other that of the samples with a rater's mask. For
    masks these are linear in the samples' variance and in the share of the samples that differ from the rater, whatever
    is added inside the logarithm. 0 where the samples' variance is constant: PHiSeg's code gives NaN. Arguments and
    errors: ``ncc``.
    """
    return ncc_phiseg_of(count_votes(raters, samples))


def _variance(votes: np.ndarray, n: int) -> np.ndarray:
    """``(E,)`` int64, n^2 times the variance of n masks of which ``votes`` mark a pixel: exact, so that ties are."""
    return votes * (n - votes)


def _is_constant(values: np.ndarray) -> bool:
    return bool((values == values[0]).all())


def _correlate(first: np.ndarray, second: np.ndarray, pixels: np.ndarray) -> float:
    if _is_constant(first) or _is_constant(second):
        return 0.0
    a, b = (values - pixels @ values / pixels.sum() for values in (first, second))
    correlation = pixels @ (a * b) / np.sqrt((pixels @ a**2) * (pixels @ b**2))
    return float(np.clip(correlation, -1, 1))


_FACTS: Any = {"direction": "higher", "range": (-1.0, 1.0), "needs": "samples", "table": False}


def _raters_vary(tables: CaseTables, key: Key) -> bool:
    if len(tables.sample_rows) == 0:
        return False
    return ncc_of(shares_of(tables, key.label)) is not None


@metric(
    "ncc",
    "correlation of the samples' variance map with the raters'",
    applies=_raters_vary,
    citation="after PHiSeg",
    empty="samples that vary nowhere: 0; missing where the raters' variance is the same everywhere",
    **_FACTS,
)
def score_ncc(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """:func:`ncc` of the votes: correlation over the pixels of v (S - v) / S^2 and w (R - w) / R^2."""
    return by_class(tables, tables.sample_rows, lambda label: ncc_of(shares_of(tables, label)))


@metric(
    "ncc_phiseg",
    "correlation of the samples' variance map with their differences from a rater, mean over the raters",
    citation="PHiSeg, S_NCC",
    empty="samples that vary nowhere: 0",
    **_FACTS,
)
def score_ncc_phiseg(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """:func:`ncc_phiseg` of the votes (Baumgartner et al. 2019)."""
    return by_class(tables, tables.sample_rows, lambda label: ncc_phiseg_of(shares_of(tables, label)))
