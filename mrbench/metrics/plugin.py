"""The built-in overlap metrics, as records."""

from mrbench.hooks import hookimpl
from mrbench.records import Direction, MetricRecord, Need

MRBENCH_API = "1"

_SUITE = "mrbench.metrics.suite"
_PROSEG = "ProSeg"
_DISTANCE = "two empty masks: distance 0 (strict) or 1 (published); a class absent in every mask is missing for K > 2"
_DICE = "two empty masks: Dice 1; a class absent in every mask is missing for K > 2"
_SOFT = "a threshold that neither side exceeds anywhere: Dice 1; a class absent in every mask is missing for K > 2"


def _distance(
    name: str, factory: str, summary: str, *, needs: Need = Need.SAMPLES, table: bool = True, lowest: float = 0.0
) -> MetricRecord:
    return MetricRecord(
        name=name,
        factory=f"{_SUITE}:{factory}",
        summary=summary,
        citation=f"{_PROSEG}, eq. 20",
        direction=Direction.LOWER,
        range=(lowest, 2.0),
        needs=needs,
        table=table,
        empty=_DISTANCE,
    )


def _part(name: str, factory: str, summary: str) -> MetricRecord:
    return MetricRecord(
        name=name,
        factory=f"{_SUITE}:{factory}",
        summary=summary,
        citation=f"{_PROSEG}, eq. 20",
        direction=Direction.NEITHER,
        range=(0.0, 1.0),
        needs=Need.SAMPLES,
        table=False,
        empty=_DISTANCE,
    )


def _overlap(
    name: str,
    factory: str,
    summary: str,
    *,
    needs: Need = Need.SAMPLES,
    identified: bool = False,
    table: bool = True,
    citation: str = "",
    empty: str = _DICE,
) -> MetricRecord:
    return MetricRecord(
        name=name,
        factory=f"{_SUITE}:{factory}",
        summary=summary,
        citation=citation,
        direction=Direction.HIGHER,
        range=(0.0, 1.0),
        needs=needs,
        identified=identified,
        table=table,
        empty=empty,
    )


_RECORDS = (
    _distance("ged", "Ged", "generalised energy distance of the samples and the raters"),
    _part("ged_pa", "GedPa", "part of ged: mean distance of samples and raters"),
    _part("ged_pp", "GedPp", "part of ged: mean distance of the samples among themselves"),
    _part("ged_aa", "GedAa", "part of ged: mean distance of the raters among themselves"),
    _distance("ged_unbiased", "GedUnbiased", "ged without the pairs of a mask with itself", table=False, lowest=-1.0),
    _distance("ged@raters", "GedOfRaters", "ged of the set with one prediction per rater", needs=Need.RATERS),
    _overlap(
        "dice_soft",
        "DiceSoft",
        "Dice of the samples' share and the raters' share, mean over five thresholds",
        citation=f"{_PROSEG}, eq. 21",
        empty=_SOFT,
    ),
    _overlap(
        "dice_soft_prob",
        "DiceSoftProb",
        "dice_soft with the mean probability",
        table=False,
        citation="released code of D-Persona",
        empty=_SOFT,
    ),
    _overlap(
        "dice_soft@raters",
        "DiceSoftOfRaters",
        "dice_soft of the set with one prediction per rater",
        needs=Need.RATERS,
        table=False,
        citation=f"{_PROSEG}, eq. 21",
        empty=_SOFT,
    ),
    _overlap("dice_max", "DiceMax", "mean over the raters of the best sample's Dice", citation="D-Persona"),
    _overlap("dice_max_reverse", "DiceMaxReverse", "mean over the samples of the best rater's Dice", table=False),
    _overlap(
        "dice_max@raters",
        "DiceMaxOfRaters",
        "dice_max of the set with one prediction per rater",
        needs=Need.RATERS,
        table=False,
        citation="D-Persona",
    ),
    _overlap(
        "dice_match",
        "DiceMatch",
        "mean Dice under the best one-to-one assignment of samples to raters",
        citation="D-Persona",
    ),
    _overlap(
        "dice_match@raters",
        "DiceMatchOfRaters",
        "dice_match of the set with one prediction per rater",
        needs=Need.RATERS,
        table=False,
        citation="D-Persona",
    ),
    _overlap(
        "dice_rater",
        "DiceRater",
        "Dice of each rater's own prediction",
        needs=Need.RATERS,
        identified=True,
    ),
    _overlap(
        "rater_identification",
        "RaterIdentification",
        "share of the raters whose own prediction is the nearest to their mask; chance is 1/R",
        needs=Need.RATERS,
        identified=True,
    ),
    _overlap(
        "iou",
        "Iou",
        "IoU of each rater's own prediction, or of the consensus",
        needs=Need.RATERS,
        table=False,
        empty="two empty masks: IoU 1 (strict) or 0 (published); a class absent in every mask is missing for K > 2",
    ),
)


@hookimpl
def mrbench_metrics() -> tuple[MetricRecord, ...]:
    """Overlap with the raters, and distance from their distribution."""
    return _RECORDS
