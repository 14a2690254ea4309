"""One metric of one method, by fold and training."""

from collections.abc import Mapping, Sequence

import numpy as np

from mrbench.statistics.subjects import SubjectTable

Folds = Mapping[int, Sequence[SubjectTable]]
"""One metric of one method: for each fold, a table per seed; the tables of a fold have the same subjects."""


def fold_values(folds: Folds) -> dict[int, float]:
    """The value of each fold: the mean over its seeds."""
    return {fold: float(np.mean([table.value() for table in tables])) for fold, tables in folds.items()}


def check_paired(a: Folds, b: Folds) -> None:
    """Refuses what is not paired.

    Raises:
        ValueError: they differ in folds or subjects.
    """
    if set(a) != set(b):
        raise ValueError(f"a paired difference needs the same folds; got {sorted(a)} and {sorted(b)}")
    for fold in a:
        if len({table.subjects for table in (*a[fold], *b[fold])}) > 1:
            raise ValueError(f"a paired difference needs the same subjects in the same order; fold {fold} differs")
