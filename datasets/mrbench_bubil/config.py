"""Options of the data sets."""

from mrbench.configuration import Config, option


class BubilConfig(Config):
    """How the images are split. There are no subjects: every image is its own."""

    folds: int = option(5, "folds of the split", ge=2, le=30)
    split_seed: int = option(0, "seed of the split, separate from every training seed", ge=0)
    validation_share: float = option(0.15, "share of a fold's training images in its inner validation", gt=0, lt=0.5)
