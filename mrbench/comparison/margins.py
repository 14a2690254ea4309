"""Margins: below which difference two methods do the same for whoever uses them; argued in docs/statistics.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader


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


MARGINS: Mapping[str, Margin] = {
    "ged_unbiased": Margin(0.05, "ged_aa_unbiased", "5 % of the distance of two raters"),
    "dice_rater": Margin(0.01, why=".01 of Dice against a rater"),
    "brier": Margin(0.05, "brier", "5 % of the Brier score of A"),
}
"""By metric; others have none."""


def margin_of(metric: str, a: MethodRun, reader: ScoreReader) -> float | None:
    """The margin of a difference from A; None where nobody has argued one, or its unit has no value."""
    margin = MARGINS.get(metric)
    if margin is None or not margin.of:
        return margin.share if margin else None
    unit = reader.value(a, margin.of)
    return margin.share * unit.mean if unit and isfinite(unit.mean) else None
