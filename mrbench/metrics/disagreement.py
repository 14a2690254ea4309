"""Is a method uncertain where the raters disagree? Ranking of pixels by the entropy of the prediction."""

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Key, Statistics, metric
from mrbench.metrics.arrays import Array
from mrbench.metrics.keyed import by_class
from mrbench.metrics.order import raters_first
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.shares import Shares, count_shares, shares_of

LEVELS = 65
"""Of :func:`level_counts`: of up to 128 samples each count of votes has a level of its own."""


def auroc_of(counts: np.ndarray) -> float | None:
    """Area under the ROC curve from pixels ``(2, L)``, [agree, disagree] by ascending entropy; None where one is empty.

    Pixels of one level are tied: each pair of them counts one half (midrank).
    """
    agree, disagree = counts.astype(np.float64)
    if not (agree.any() and disagree.any()):
        return None
    below = np.cumsum(agree) - agree
    return float(disagree @ (below + agree / 2) / (agree.sum() * disagree.sum()))


def level_counts(shares: Shares) -> np.ndarray:
    """``(2, 65)`` pixels on which the raters [agree, disagree], by level of the entropy of the votes of the samples.

    Additive over cases. Levels are equal steps of the smaller of the share and its rest, with which the entropy
    rises: exact up to 128 samples; of more, neighbouring counts of votes may share a level and are then tied.
    """
    steps = 2 * (LEVELS - 1)
    level = (2 * steps * _ambiguity(shares) + shares.n) // (2 * shares.n)  # rounded in integers
    return _by_level(shares, level, LEVELS)


@raters_first
def auroc_disagreement(raters: Array, samples: Array) -> float | None:
    """Does the entropy of the mean prediction rank the pixels on which the raters disagree above the others? 0 to 1.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` floats in [0, 1], whose mean is taken, or bool, whose share is. Pixels of equal
            entropy count one half; all are where the prediction is certain everywhere, so that it scores 0.5.

    Returns:
        None where the raters agree on every pixel (empty masks of all raters included) or disagree on every pixel.

    Raises:
        ValueError: types, grids or probabilities that do not fit.
    """
    shares = count_shares(raters, samples)
    distinct, level = np.unique(_ambiguity(shares), return_inverse=True)
    return auroc_of(_by_level(shares, level, len(distinct)))


def _ambiguity(shares: Shares) -> np.ndarray:
    """``(E,)`` in which entropy rises: the smaller of the total and what it lacks. Ties of votes are exact."""
    return np.minimum(shares.total, shares.n - shares.total)


def _by_level(shares: Shares, level: np.ndarray, levels: int) -> np.ndarray:
    disagree = (shares.marked > 0) & (shares.marked < len(shares.raters))
    pixels = np.bincount(level + levels * disagree, shares.pixels, minlength=2 * levels)
    return pixels.reshape(2, levels)


def _counts(tables: CaseTables, label: int) -> np.ndarray | None:
    """``(2, 65)``; None where the raters agree on every pixel, or on none."""
    counts = level_counts(shares_of(tables, label))
    return counts if counts.any(axis=1).all() else None


def _raters_disagree(tables: CaseTables, key: Key) -> bool:
    return len(tables.sample_rows) > 0 and _counts(tables, key.label) is not None


def _pooled_auroc(total: np.ndarray) -> float:
    value = auroc_of(total.reshape(2, LEVELS))
    return float("nan") if value is None else value


@metric(
    "auroc_disagreement",
    "does the entropy of the samples' share rank the pixels where raters disagree above the rest of a fold",
    direction="higher",
    range=(0.0, 1.0),
    needs="samples",
    applies=_raters_disagree,
    pooled=_pooled_auroc,
    table=False,
    empty="all samples empty: 0.5; a case where the raters agree on every pixel, or on none, is left out",
)
def score_auroc_disagreement(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """Area under the ROC curve of the entropy, from pixels by its level: :func:`level_counts`, :func:`auroc_of`."""
    return by_class(tables, tables.sample_rows, lambda label: _counts(tables, label))
