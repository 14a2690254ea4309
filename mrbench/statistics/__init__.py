"""Statistics of the values in a table: how far they would move with other subjects."""

from mrbench.statistics.bootstrap import (
    Estimate,
    Folds,
    Interval,
    bootstrap_difference,
    bootstrap_value,
    fold_values,
    resampled,
)
from mrbench.statistics.subjects import SubjectTable, subject_table

__all__ = [
    "Estimate",
    "Folds",
    "Interval",
    "SubjectTable",
    "bootstrap_difference",
    "bootstrap_value",
    "fold_values",
    "resampled",
    "subject_table",
]
