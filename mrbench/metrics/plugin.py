"""The built-in overlap metrics, as records."""

from mrbench.cards import Direction, MetricCard, Need
from mrbench.hooks import hookimpl

MRBENCH_API = "2"

_SUITE = "mrbench.metrics.suite"
_UNCERTAINTY = "mrbench.metrics.suite_uncertainty"
_PROSEG = "ProSeg"
_DISTANCE = "two empty masks: distance 0 (strict) or 1 (published); a class absent in every mask is missing for K > 2"
_DICE = "two empty masks: Dice 1; a class absent in every mask is missing for K > 2"
_SOFT = "a threshold that neither side exceeds anywhere: Dice 1; a class absent in every mask is missing for K > 2"


def _distance(
    name: str, code: str, summary: str, *, needs: Need = Need.SAMPLES, table: bool = True, lowest: float = 0.0
) -> MetricCard:
    return MetricCard(
        name=name,
        code=f"{_SUITE}:{code}",
        summary=summary,
        citation=f"{_PROSEG}, eq. 20",
        direction=Direction.LOWER,
        range=(lowest, 2.0),
        needs=needs,
        table=table,
        empty=_DISTANCE,
    )


def _part(name: str, code: str, summary: str) -> MetricCard:
    return MetricCard(
        name=name,
        code=f"{_SUITE}:{code}",
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
    code: str,
    summary: str,
    *,
    needs: Need = Need.SAMPLES,
    identified: bool = False,
    table: bool = True,
    citation: str = "",
    empty: str = _DICE,
) -> MetricCard:
    return MetricCard(
        name=name,
        code=f"{_SUITE}:{code}",
        summary=summary,
        citation=citation,
        direction=Direction.HIGHER,
        range=(0.0, 1.0),
        needs=needs,
        identified=identified,
        table=table,
        empty=empty,
    )


def _uncertainty(
    name: str,
    code: str,
    summary: str,
    *,
    empty: str,
    citation: str = "",
    direction: Direction = Direction.LOWER,
    range: tuple[float, float] = (0.0, 1.0),
) -> MetricCard:
    return MetricCard(
        name=name,
        code=f"{_UNCERTAINTY}:{code}",
        summary=summary,
        citation=citation,
        direction=direction,
        range=range,
        needs=Need.SAMPLES,
        table=False,
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
    _uncertainty(
        "ncc",
        "Ncc",
        "correlation of the samples' variance map with the raters'",
        direction=Direction.HIGHER,
        range=(-1.0, 1.0),
        citation="after PHiSeg",
        empty="samples that vary nowhere: 0; missing where the raters' variance is the same everywhere",
    ),
    _uncertainty(
        "ncc_phiseg",
        "NccPhiseg",
        "correlation of the samples' variance map with their differences from a rater, mean over the raters",
        direction=Direction.HIGHER,
        range=(-1.0, 1.0),
        citation="PHiSeg, S_NCC",
        empty="samples that vary nowhere: 0",
    ),
    _uncertainty(
        "ece_votes",
        "EceVotes",
        "calibration error of the samples' share against the raters pooled, 15 bins, pixels of a fold together",
        citation="Guo et al. 2017",
        empty="an empty mask predicts, or is, 0 everywhere",
    ),
    _uncertainty(
        "brier_votes",
        "BrierVotes",
        "squared difference of the samples' share and the raters' marks, mean over pixels and raters",
        citation="Brier 1950",
        empty="an empty mask predicts, or is, 0 everywhere",
    ),
    _uncertainty(
        "crps_area",
        "CrpsArea",
        "continuous ranked probability score of the samples' areas against the raters', in pixels",
        range=(0.0, float("inf")),
        citation="Gneiting and Raftery 2007",
        empty="an empty mask has area 0",
    ),
    _uncertainty(
        "auroc_disagreement",
        "AurocDisagreement",
        "does the entropy of the samples' share rank the pixels where raters disagree above the rest of a fold",
        direction=Direction.HIGHER,
        empty="all samples empty: 0.5; a case where the raters agree on every pixel, or on none, is left out",
    ),
)


def _stored(
    name: str,
    code: str,
    summary: str,
    *,
    empty: str,
    needs: Need = Need.SAMPLES,
    direction: Direction = Direction.LOWER,
    highest: float = 1.0,
    identified: bool = False,
    citation: str = "",
) -> MetricCard:
    return MetricCard(
        name=name,
        code=f"mrbench.metrics.suite_stored:{code}",
        summary=summary,
        citation=citation,
        direction=direction,
        range=(0.0, highest),
        needs=needs,
        identified=identified,
        table=False,
        empty=empty,
    )


_MM = "in mm where the spacing is known, else in pixels"
_ONE_EMPTY = "exactly one empty mask: the diagonal of the image, counted beside the value of each case; two: 0"
_NSD = "exactly one empty mask: 0, two: 1"
_CALIBRATION = "empty masks are marks of 0 like any other; a class absent in every mask is missing for K > 2"

_STORED = (
    _stored(
        "hd95",
        "Hd95",
        f"95th percentile of the distance of boundaries, of each rater's own prediction or of the consensus, {_MM}",
        needs=Need.RATERS,
        highest=float("inf"),
        citation="MONAI: the larger of two directed percentiles",
        empty=_ONE_EMPTY,
    ),
    *(
        _stored(
            f"nsd@{tolerance}",
            f"Nsd{tolerance}",
            f"share of the boundaries within {tolerance} of each other, {_MM}",
            needs=Need.RATERS,
            direction=Direction.HIGHER,
            citation="Nikolov 2021; Seidlitz 2022",
            empty=_NSD,
        )
        for tolerance in (1, 2)
    ),
    _stored(
        "dice_rater_mean",
        "DiceRaterMean",
        "Dice of the mean probability of each rater's own predictions, above one half",
        needs=Need.RATERS,
        direction=Direction.HIGHER,
        identified=True,
        empty=_DICE,
    ),
    _stored(
        "ece",
        "Ece",
        "calibration error of the samples' mean probability against all raters, 15 bins, pixels of a fold together",
        citation="Guo et al. 2017, eq. 3",
        empty=_CALIBRATION,
    ),
    _stored(
        "ece@raters",
        "EceOfRaters",
        "ece of the mean of the set with one prediction per rater",
        needs=Need.RATERS,
        citation="Guo et al. 2017, eq. 3",
        empty=_CALIBRATION,
    ),
    _stored(
        "ece_rater",
        "EceRater",
        "ece against each rater alone, mean over the raters",
        citation="Guo et al. 2017, eq. 3",
        empty=_CALIBRATION,
    ),
    _stored(
        "brier",
        "Brier",
        "squared difference of the samples' mean probability and the raters' marks, mean over pixels and raters",
        citation="Brier 1950",
        empty=_CALIBRATION,
    ),
    _stored(
        "brier@raters",
        "BrierOfRaters",
        "brier of the mean of the set with one prediction per rater",
        needs=Need.RATERS,
        citation="Brier 1950",
        empty=_CALIBRATION,
    ),
    _stored(
        "brier_rater",
        "BrierRater",
        "brier against each rater alone, mean over the raters",
        citation="Brier 1950",
        empty=_CALIBRATION,
    ),
    _stored(
        "brier_share",
        "BrierShare",
        "squared difference of the samples' mean probability and the share of the raters, mean over the pixels",
        empty=_CALIBRATION,
    ),
)


@hookimpl
def mrbench_metrics() -> tuple[MetricCard, ...]:
    """Overlap with the raters, distance from their distribution, boundaries and calibration."""
    return _RECORDS + _STORED
