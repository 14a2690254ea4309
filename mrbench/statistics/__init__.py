"""Statistics of the values in a table: how far they would move with other subjects, and which differences are real."""

from mrbench.statistics.bootstrap import (
    Estimate,
    Folds,
    Interval,
    bootstrap_difference,
    bootstrap_value,
    fold_values,
    resampled,
)
from mrbench.statistics.correction import holm
from mrbench.statistics.critical import CriticalDifference, critical_difference
from mrbench.statistics.effects import Effect, effect
from mrbench.statistics.groups import letters, tie_groups
from mrbench.statistics.over_folds import corrected_resampled_t, sign_test
from mrbench.statistics.permutation import exchange_test
from mrbench.statistics.ranks import RankEstimate, bootstrap_ranks
from mrbench.statistics.signed_rank import clustered_signed_rank
from mrbench.statistics.significance import Significance
from mrbench.statistics.subjects import SubjectTable, subject_table

__all__ = [
    "CriticalDifference",
    "Effect",
    "Estimate",
    "Folds",
    "Interval",
    "RankEstimate",
    "Significance",
    "SubjectTable",
    "bootstrap_difference",
    "bootstrap_ranks",
    "bootstrap_value",
    "clustered_signed_rank",
    "corrected_resampled_t",
    "critical_difference",
    "effect",
    "exchange_test",
    "fold_values",
    "holm",
    "letters",
    "resampled",
    "sign_test",
    "subject_table",
    "tie_groups",
]
