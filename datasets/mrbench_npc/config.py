"""Options of the data set."""

from typing import Literal

from mrbench.configuration import Config, option


class NpcConfig(Config):
    """Which cases train, validate and test.

    The challenge never released its test cases: both rules test on its 20 validation cases.
    """

    split: Literal["80-20-20", "100-20"] = option(
        "80-20-20",
        "the rule of the split 'strict': training cases 80 to 99 validate (ProSeg), or a seeded share of all 100",
    )
    slices: Literal["volumes", "training_2d"] = option(
        "volumes", "training slices are cut from the training volumes, or are the challenge's ready-made ones"
    )
    split_seed: int = option(0, "seed of the inner validation of 100-20, separate from every training seed", ge=0)
    validation_share: float = option(0.15, "share of the 100 training cases in the inner validation", gt=0, lt=0.5)
    partial: bool = option(
        False, "take what there is: other counts than 100 and 20; the last fifth of the training cases validates"
    )
