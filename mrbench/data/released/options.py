"""Options of data sets that are read as released."""

from typing import Literal

from mrbench.configuration import Config, option


class ReleasedConfig(Config):
    """Who the raters are, and how cases are split."""

    raters: Literal["identified", "exchangeable"] = option(
        "identified", "is a column of masks by one person throughout, or by anybody?"
    )
    folds: int = option(5, "folds of the split 'strict'", ge=2, le=100)
    split_seed: int = option(0, "seed of the splits, separate from every training seed", ge=0)
    validation_share: float = option(0.15, "share of a fold's training subjects in its inner validation", gt=0, lt=0.5)
    partial: bool = option(
        False, "take what there is: other counts of cases; a rater whose mask is not there is absent from the case"
    )


class PictureConfig(ReleasedConfig):
    """The same of pictures, which may be made smaller."""

    longest: int = option(
        0, "pixels along the longer side that larger images are reduced to, 0: as released", ge=0, le=16384
    )

    @property
    def reduced(self) -> str:
        """What the option does, for the declarations."""
        return f", reduced to {self.longest} pixels along the longer side" if self.longest else ""
