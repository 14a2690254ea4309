"""Trainings that a row should be doubted for: those that were cut short, and those that learned nothing.

No training is left out for it and none is done again from another seed: each counts with what it predicts.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil, isfinite, nan, sqrt
from statistics import fmean
from typing import Any

from mrbench.engine.cell import CURVES
from mrbench.engine.result import Result
from mrbench.errors import DataError
from mrbench.results.caveats import UNDER_TRAINED
from mrbench.results.curves import Curve, read_curves

SHORTEST = 10
"""Epochs with a validation loss, of which a tenth is one at least."""

OVERLAP = ("dice_max", "ged_pa", "dice_rater", "iou")
"""Metrics that tell whether anything overlaps."""

NOTHING = 1e-9
"""Sums in another order differ by less."""


def is_improving(curve: Curve) -> bool:
    """Was the validation loss still falling when the training ended?

    The lowest loss of the last tenth of the epochs, rounded up, is below the lowest one before by more than the loss
    scatters: the root of half the mean squared difference of successive epochs in the second half (von Neumann 1941),
    which a slow trend hardly moves. Whatever weights were kept, and whatever ended it; never of fewer than ten epochs.
    """
    losses = curve.validation
    if len(losses) < SHORTEST:
        return False
    last = ceil(len(losses) / 10)
    half = losses[len(losses) // 2 :]
    scatter = sqrt(fmean((after - before) ** 2 for before, after in pairwise(half)) / 2)
    return min(losses[:-last]) - min(losses[-last:]) > scatter


def cut_short(trainings: Sequence[Mapping[str, Curve]]) -> tuple[str, ...]:
    """The caveat of a row of which at least half of the trainings were still improving in any of their stages.

    Args:
        trainings: curves by stage; those without a validation loss are not counted.
    """
    told = [stages for stages in trainings if any(curve.validation for curve in stages.values())]
    improving = sum(any(map(is_improving, stages.values())) for stages in told)
    if 2 * improving < max(len(told), 1):
        return ()
    return (f"{UNDER_TRAINED}: validation still improving at the end of {improving} of {len(told)} trainings",)


def curves_of(results: Sequence[Result]) -> Iterator[Mapping[str, Curve]]:
    """The curves that each training left in a results folder; a file that is damaged says nothing here."""
    for result in results:
        if result.spec.kind != "method":
            continue
        try:
            path = result.file(CURVES)
            yield read_curves(path) if path else {}
        except DataError:
            continue


FAILED = "failed_training"
"""What the record of a packed cell says of its training: an entry holds no metrics of single cells."""


def failed_trainings(results: Sequence[Result]) -> int:
    """How many trainings of these cells failed: no pixel of what they predict lies on any rater's mask."""
    done = [one for one in results if one.finished and one.spec.kind == "method"]
    records = [one.record or {} for one in done]
    return sum(record.get(FAILED, False) or misses_everything(_values(record)) for record in records)


def _values(record: Mapping[str, Any]) -> dict[str, float]:
    return {name: found["value"] for name, found in record.get("metrics", {}).items()}


def misses_everything(values: Mapping[str, float]) -> bool:
    """Do the values of one cell under ``strict`` say that no prediction overlaps any mask?

    A Dice is at least its IoU, and equal to it only where both are 0 or 1: means that are equal leave nothing between
    no overlap and a whole one, which is that of two empty masks.
    """
    overlaps = {"dice_max": 1 - values.get("ged_pa", nan), "dice_rater": values.get("iou", nan)}
    told = [(values[dice], iou) for dice, iou in overlaps.items() if dice in values and isfinite(iou)]
    return bool(told) and all(dice - iou <= NOTHING and dice < 1 - NOTHING for dice, iou in told)
