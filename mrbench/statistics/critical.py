"""Friedman's test and Nemenyi's critical difference of mean ranks, as in critical-difference diagrams."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.statistics.equality import tied

BLOCKS = 10
"""At least so many: with fewer, Friedman's chi-squared approximation does not hold (Demsar 2006, section 3.2.2)."""

METHODS = 3
"""At least so many: two are compared by a paired test."""


@dataclass(frozen=True)
class CriticalDifference:
    """Mean ranks of M methods over blocks.

    Attributes:
        ranks: ``M`` mean ranks, 1 the best; ties share.
        difference: mean ranks that are farther apart than this differ at 5 %.
        statistic, p: of Friedman's test; where p is above .05 no two are told apart.
        blocks: their number.
        groups: the longest runs of methods, best first, that are not told apart; methods by number, single ones left
            out.
    """

    ranks: tuple[float, ...]
    difference: float
    statistic: float
    p: float
    blocks: int
    groups: tuple[tuple[int, ...], ...]


def critical_difference(values: np.ndarray, *, higher: bool, level: float = 0.05) -> CriticalDifference | str:
    """Mean ranks over blocks, with the difference from which on two methods differ.

    Friedman (1937, ``scipy.stats.friedmanchisquare``), then Nemenyi (1963): q sqrt(M (M + 1) / 6 N), q of the
    studentised range over sqrt 2 (Demsar, JMLR 2006, 7:1-30). All pairs are corrected for each other.

    Assumes: blocks independent. Subjects are; folds of one data set share training data, so theirs are not.

    Args:
        values: ``(N, M)`` a block per row, a method per column; rows with NaN are left out.
        higher: are larger values better?

    Returns:
        The ranks, or the reason why there are none: fewer than three methods or ten blocks, or no difference at all.
    """
    from scipy import stats

    values = values[np.isfinite(values).all(axis=1)]
    n, m = values.shape
    if m < METHODS:
        return f"{m} methods: a critical difference needs {METHODS}; two are compared by a paired test"
    if n < BLOCKS:
        return f"{n} blocks: a critical difference needs {BLOCKS}"
    ranks = stats.rankdata(tied(-values if higher else values), axis=1)
    if not (ranks != ranks[:, :1]).any():
        return "no block tells any two methods apart"
    statistic, p = stats.friedmanchisquare(*ranks.T)
    q = float(stats.studentized_range.ppf(1 - level, m, np.inf)) / np.sqrt(2)
    difference = float(q * np.sqrt(m * (m + 1) / (6 * n)))
    mean = ranks.mean(axis=0)
    groups = _runs(mean, difference if p < level else np.inf)
    return CriticalDifference(tuple(mean.tolist()), difference, float(statistic), float(p), n, tuple(groups))


def _runs(ranks: np.ndarray, difference: float) -> Sequence[tuple[int, ...]]:
    order, found = np.argsort(ranks, kind="stable").tolist(), []
    end = 0
    for start in range(len(order)):
        run = [m for m in order[start:] if ranks[m] - ranks[order[start]] <= difference]
        if len(run) > 1 and start + len(run) > end:
            end = start + len(run)
            found.append(tuple(run))
    return found
