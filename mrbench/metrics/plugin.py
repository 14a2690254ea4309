"""The built-in metrics: those of every family, in the order in which they are listed."""

from importlib import import_module

from mrbench.cards import DECLARED, MetricCard
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

FAMILIES = (
    "distance",
    "equal_terms",
    "soft",
    "matching",
    "personal",
    "variance",
    "reliability",
    "area",
    "rank_histogram",
    "disagreement",
    "surface",
    "calibration",
    "brier_parts",
)
"""Modules of this package."""


@hookimpl
def mrbench_metrics() -> tuple[MetricCard, ...]:
    """Overlap with the raters, distance from their distribution, boundaries and calibration."""
    modules = (import_module(f"mrbench.metrics.{family}") for family in FAMILIES)
    return tuple(found.__mrbench_card__ for module in modules for found in vars(module).values() if _is_metric(found))


def _is_metric(found: object) -> bool:
    return hasattr(found, DECLARED)
