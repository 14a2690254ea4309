"""Statistics of the values in a table: how far they would move with other subjects, and which differences are real.

Names are imported on first use: a table needs the interval alone.
"""

from importlib import import_module
from typing import Any

_EXPORTS = {
    "CriticalDifference": "mrbench.statistics.critical",
    "Effect": "mrbench.statistics.effects",
    "Estimate": "mrbench.statistics.bootstrap",
    "Folds": "mrbench.statistics.bootstrap",
    "Interval": "mrbench.statistics.bootstrap",
    "RankEstimate": "mrbench.statistics.ranks",
    "Significance": "mrbench.statistics.significance",
    "SubjectTable": "mrbench.statistics.subjects",
    "bootstrap_difference": "mrbench.statistics.bootstrap",
    "bootstrap_ranks": "mrbench.statistics.ranks",
    "bootstrap_value": "mrbench.statistics.bootstrap",
    "clustered_signed_rank": "mrbench.statistics.signed_rank",
    "corrected_resampled_t": "mrbench.statistics.over_folds",
    "critical_difference": "mrbench.statistics.critical",
    "effect": "mrbench.statistics.effects",
    "exchange_test": "mrbench.statistics.permutation",
    "fold_values": "mrbench.statistics.bootstrap",
    "holm": "mrbench.statistics.correction",
    "letters": "mrbench.statistics.groups",
    "resampled": "mrbench.statistics.bootstrap",
    "sign_test": "mrbench.statistics.over_folds",
    "subject_table": "mrbench.statistics.subjects",
    "tie_groups": "mrbench.statistics.groups",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'mrbench.statistics' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
