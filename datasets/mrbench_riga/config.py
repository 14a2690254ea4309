"""Options of the data set."""

from mrbench.configuration import Config, option


class RigaConfig(Config):
    """How large the cases are, and how they are split."""

    size: int = option(256, "rows and columns that crops of the disc region are resized to", ge=32, le=2048)
    folds: int = option(5, "folds of the split 'strict'", ge=2, le=100)
    split_seed: int = option(0, "seed of the splits, separate from every training seed", ge=0)
    validation_share: float = option(0.15, "share of a fold's training images in its inner validation", gt=0, lt=0.5)
    partial: bool = option(
        False, "take what there is: other counts of images; a rater without a mask is absent from the case"
    )
