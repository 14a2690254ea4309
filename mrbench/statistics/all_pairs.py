"""All pairs of many methods by the exchange test, in one pass over the exchanges.

Where every method has the same cases, a non-pooled value is a sum of what each subject adds, and an exchange of a
subject turns the sign of its difference. All pairs then share one matrix product, with the p of ``exchange_test``.

Axis letters: M methods, U subjects, T exchanges.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from mrbench.statistics.bootstrap import BLOCK, Folds
from mrbench.statistics.exchanges import EXCHANGES, exchanges, p_of_exchanges
from mrbench.statistics.subjects import SubjectTable


def pair_p_values(
    methods: Sequence[Folds], *, draws: int = EXCHANGES, seed: int = 0
) -> dict[tuple[int, int], float] | str:
    """The p of every pair of methods, by their numbers.

    Args:
        methods: with the same folds, subjects, columns and numbers of seeds; no pooled metric.
        draws, seed: as for ``exchange_test``.

    Returns:
        The p-values, or the reason why there are none.
    """
    reason = _reason(methods)
    if reason:
        return reason
    subjects = sorted({name for tables in methods[0].values() for name in tables[0].subjects})
    shares = np.stack([_contributions(folds, subjects) for folds in methods])  # (M, U)
    pairs = list(combinations(range(len(methods)), 2))
    differences = np.stack([shares[other] - shares[one] for one, other in pairs], axis=1)  # (U, pairs)
    observed = differences.sum(axis=0)
    block = max(1, BLOCK // max(len(subjects), len(pairs)))
    drawn = [observed - 2 * (swaps @ differences) for swaps in exchanges(len(subjects), draws, seed, block=block)]
    values = np.concatenate(drawn)  # (T, pairs)
    found: dict[tuple[int, int], float] = {}
    for column, pair in enumerate(pairs):
        significance = p_of_exchanges(float(observed[column]), values[:, column], len(subjects), draws)
        found[pair] = 1.0 if significance.p is None else significance.p
    return found


def _reason(methods: Sequence[Folds]) -> str:
    first = methods[0]
    if len({name for tables in first.values() for name in tables[0].subjects}) < 2:
        return "one subject: nothing to exchange it with"
    for other in methods:
        if _seeds(other) != _seeds(first):
            return "unequal folds or numbers of seeds cannot be exchanged"
        if any(table.finalise for tables in other.values() for table in tables):
            return "pooled over cases: a subject alone adds nothing"
        if any(not _alike(table, first[fold][0]) for fold, tables in other.items() for table in tables):
            return "some have no value in cases where others have one"
    return ""


def _seeds(folds: Folds) -> dict[int, int]:
    return {fold: len(tables) for fold, tables in folds.items()}


def _alike(one: SubjectTable, other: SubjectTable) -> bool:
    same = one.subjects == other.subjects and one.labels.tolist() == other.labels.tolist()
    return same and np.array_equal(one.counts, other.counts)


def _contributions(folds: Folds, subjects: Sequence[str]) -> np.ndarray:
    """``(U,)`` what each subject adds to the mean over the folds."""
    places = {name: place for place, name in enumerate(subjects)}
    found = np.zeros(len(subjects))
    for tables in folds.values():
        for table in tables:
            at = [places[name] for name in table.subjects]
            found[at] += _added(table) / len(tables) / len(folds)
    return found


def _added(table: SubjectTable) -> np.ndarray:
    """``(U,)`` what each subject of a fold adds to its value."""
    below = table.counts.sum(axis=0)
    seen = below > 0
    labels, classes = table.labels[seen], np.unique(table.labels[seen])
    weights = np.array([1 / (len(classes) * (labels == label).sum()) for label in labels])
    added: np.ndarray = table.sums[:, seen, 0] @ (weights / below[seen])
    return added
