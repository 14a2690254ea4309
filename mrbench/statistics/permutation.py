"""The paired permutation test on exactly the difference in the table, with subjects as clusters."""

from collections.abc import Mapping

import numpy as np

from mrbench.statistics.bootstrap import BLOCK, Folds, check_paired, fold_values
from mrbench.statistics.exchanges import EXCHANGES, exchanges, p_of_exchanges
from mrbench.statistics.significance import Significance, refused
from mrbench.statistics.subjects import mean_of_present


def exchange_test(a: Folds, b: Folds, *, draws: int = EXCHANGES, seed: int = 0) -> Significance:
    """Can the difference of two methods be chance? Whole subjects change places between A and B.

    The statistic is B less A as the table has it, mean over the folds; under each exchange it is reduced anew,
    so that pooled metrics, raters and classes are as in the table. A subject of several folds moves in all of them.
    For one class, no raters and one fold this is Fisher's sign-flip test on the subjects' mean differences
    (Fisher 1935; with clusters Good 2005, chapter 3).

    Assumes: subjects independent, and within a subject A and B exchangeable if the methods are equal. Says nothing of
    other trainings: folds and seeds stay as they are.

    Refuses one subject, unequal numbers of seeds (means over more of them vary less, and cannot be exchanged) and
    tables without a value.

    Raises:
        ValueError: they differ in folds or subjects.
    """
    check_paired(a, b)
    subjects = sorted({name for tables in a.values() for name in tables[0].subjects})
    if len(subjects) < 2:
        return refused("one subject: nothing to exchange it with", len(subjects))
    if any(len(a[fold]) != len(b[fold]) for fold in a):
        return refused("unequal numbers of seeds cannot be exchanged", len(subjects))
    observed = float(np.mean(list(fold_values(b).values())) - np.mean(list(fold_values(a).values())))
    if not np.isfinite(observed):
        return refused("a fold has no value", len(subjects))
    places = {name: place for place, name in enumerate(subjects)}
    widest = max(len(subjects), *(table.sums[0].size for tables in a.values() for table in tables))
    drawn = [
        _difference(a, b, places, swaps)
        for swaps in exchanges(len(subjects), draws, seed, block=max(1, BLOCK // widest))
    ]
    return p_of_exchanges(observed, np.concatenate(drawn), len(subjects), draws)


def _difference(a: Folds, b: Folds, places: Mapping[str, int], swaps: np.ndarray) -> np.ndarray:
    folds = []
    for fold in a:
        own = swaps[:, [places[name] for name in a[fold][0].subjects]]
        values = [one.exchanged(other, own) for one, other in zip(a[fold], b[fold], strict=True)]
        first, second = mean_of_present(np.stack(values, axis=-1))
        folds.append(second - first)
    return mean_of_present(np.stack(folds, axis=-1))
