"""Statistics of the values in a table: how far other subjects and other trainings would move them, and which
differences are real.

Names are imported on first use: a table needs the interval alone.
"""

from importlib import import_module
from typing import Any

_EXPORTS = {
    "Folds": "mrbench.statistics.folds",
    "Interval": "mrbench.statistics.interval",
    "NestedEstimate": "mrbench.statistics.nested",
    "SubjectTable": "mrbench.statistics.subjects",
    "VarianceComponents": "mrbench.statistics.components",
    "Superiority": "mrbench.statistics.placements",
    "fold_values": "mrbench.statistics.folds",
    "least_counts": "mrbench.statistics.conjunction",
    "partial_conjunction": "mrbench.statistics.conjunction",
    "holm": "mrbench.statistics.correction",
    "letters": "mrbench.statistics.groups",
    "nested_difference": "mrbench.statistics.nested",
    "nested_value": "mrbench.statistics.nested",
    "pseudo_values": "mrbench.statistics.nested",
    "subject_table": "mrbench.statistics.subjects",
    "superiority": "mrbench.statistics.placements",
    "tie_groups": "mrbench.statistics.groups",
    "variance_components": "mrbench.statistics.components",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'mrbench.statistics' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
