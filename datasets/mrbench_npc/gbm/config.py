"""Options of the data set."""

from mrbench.configuration import Config, option


class GbmConfig(Config):
    """How the cases are split; every case has one annotator."""

    folds: int = option(5, "folds of the split, by subject, balanced in their annotators", ge=2, le=100)
    split_seed: int = option(0, "seed of the split, separate from every training seed", ge=0)
    validation_share: float = option(0.15, "share of a fold's training subjects in its inner validation", gt=0, lt=0.5)
