"""Options of the data set."""

from typing import Literal

from mrbench.configuration import Config, option


class QubiqConfig(Config):
    """Which task, and who its raters are.

    The challenge numbers the masks of every case alike and does not say that a number is one person throughout.
    """

    task: Literal[
        "brain-growth", "brain-tumor-1", "brain-tumor-2", "brain-tumor-3", "kidney", "prostate-1", "prostate-2"
    ] = option("brain-growth", "the challenge's collection, and the number of its task where it has several")
    raters: Literal["identified", "exchangeable"] = option(
        "identified", "is mask number r of every case by the same person, or by anybody?"
    )
    folds: int = option(5, "folds of the split 'strict'", ge=2, le=100)
    split_seed: int = option(0, "seed of the splits, separate from every training seed", ge=0)
    validation_share: float = option(0.15, "share of a fold's training cases in its inner validation", gt=0, lt=0.5)
    partial: bool = option(
        False, "take what there is: other counts of cases; a rater whose file is not there is absent from the case"
    )
