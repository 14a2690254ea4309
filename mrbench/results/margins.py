"""Margins: below which difference two methods do the same for whoever uses them; argued in docs/statistics.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite

from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Value


@dataclass(frozen=True)
class Margin:
    """A share of something.

    Attributes:
        share: of the unit.
        of: the metric of A whose value is the unit; empty: the unit is one.
        why: in words.
    """

    share: float
    of: str = ""
    why: str = ""


_DICE = Margin(0.01, why=".01 of Dice against a rater")

MARGINS: Mapping[str, Margin] = {
    "ged_unbiased": Margin(0.05, "ged_aa_unbiased", "5 % of the distance of two raters"),
    "dice_rater": _DICE,
    "dice_max_minus_readers": _DICE,
    "dice_soft_minus_readers": _DICE,
    "dice_minus_reader": _DICE,
    "dice_minus_majority": _DICE,
    "brier": Margin(0.05, "brier", "5 % of the Brier score of A"),
}
"""By metric; others have none."""


def margin_of(metric: str, a: MethodRun, reader: ScoreReader) -> float | None:
    """The margin of a difference from A; None where nobody has argued one, or its unit has no value."""
    return margin_in(metric, lambda unit: reader.value(a, unit))


def margin_in(metric: str, value: Callable[[str], Value | None]) -> float | None:
    """The margin where a metric's value is what ``value`` says; None as of :func:`margin_of`."""
    margin = MARGINS.get(metric)
    if margin is None or not margin.of:
        return margin.share if margin else None
    unit = value(margin.of)
    return margin.share * unit.mean if unit and isfinite(unit.mean) else None
