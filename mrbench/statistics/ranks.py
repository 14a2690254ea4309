"""Ranks of methods with what the choice of subjects leaves open."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.statistics.bootstrap import DRAWS, LEVEL, Folds, check_paired, resampled
from mrbench.statistics.equality import tied


@dataclass(frozen=True)
class RankEstimate:
    """The rank of a method among others, 1 the best.

    Attributes:
        mean: over the bootstrap draws.
        low, high: 95 % of the draws lie between them.
        best: share of the draws in which it is the best; methods that tie share it.
    """

    mean: float
    low: float
    high: float
    best: float


def bootstrap_ranks(
    methods: Sequence[Folds], *, higher: bool, draws: int = DRAWS, seed: int = 0
) -> list[RankEstimate] | str:
    """Each method's rank by the value in the table, in every bootstrap draw of subjects; the same draw for all.

    After Goldstein & Spiegelhalter (Journal of the Royal Statistical Society A 1996, 159:385-443). About other
    subjects, not other trainings. Of methods that are equal the interval is too narrow (Xie, Singh & Zhang 2009):
    read it beside the tie groups.

    Args:
        methods: at least two, with the same folds and subjects.
        higher: are larger values better?

    Returns:
        An estimate for each, or the reason why there is none: a fold with one subject, or draws without a value.

    Raises:
        ValueError: they differ in folds or subjects.
    """
    from scipy import stats

    for other in methods[1:]:
        check_paired(methods[0], other)
    if any(len(tables[0].subjects) < 2 for tables in methods[0].values()):
        return "a fold has one subject: its spread cannot be known"
    values = resampled(methods, draws=draws, seed=seed)  # (M, T)
    values = values[:, np.isfinite(values).all(axis=0)]
    if not values.shape[1]:
        return "no bootstrap draw has a value of every method"
    ranks = stats.rankdata(tied(-values if higher else values), axis=0)
    return [_estimate(own, ranks) for own in ranks]


def _estimate(own: np.ndarray, ranks: np.ndarray) -> RankEstimate:
    low, high = np.quantile(own, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    first = ranks == ranks.min(axis=0)
    share = (own == ranks.min(axis=0)) / first.sum(axis=0)
    return RankEstimate(float(own.mean()), float(low), float(high), float(share.mean()))
