"""Options of the data set."""

from typing import Literal, Self

from pydantic import model_validator

from mrbench.configuration import Config, option
from mrbench.errors import UsageError


class LidcConfig(Config):
    """Which slices, and who the columns of their masks are.

    The readers of LIDC-IDRI are anonymous: slot r of one scan and of another are not the same person.
    """

    raters: Literal["ranked", "exchangeable"] = option(
        "ranked", "columns are masks sorted by area (virtual raters, as the papers do) or the anonymous slots as stored"
    )
    unmarked: Literal["empty", "absent"] = option(
        "empty", "a reader who outlined nothing is present with an empty mask, or absent"
    )
    subset: Literal["four", "all"] = option(
        "four", "slices with four non-empty masks, or all (exchangeable raters only)"
    )
    folds: int = option(4, "folds of the split 'strict'", ge=2, le=100)
    split_seed: int = option(0, "seed of the split, separate from every training seed", ge=0)
    validation_share: float = option(0.15, "share of a fold's training patients in its inner validation", gt=0, lt=0.5)

    @model_validator(mode="after")
    def _complete_where_ranked(self) -> Self:
        if self.raters == "ranked" and self.subset == "all":
            raise UsageError(
                "option 'subset' of LIDC-IDRI has a wrong value",
                expected="'four' with raters=ranked: only complete cases can be ranked",
                found="'all'",
                hint="set raters=exchangeable with subset=all, or subset=four with raters=ranked",
            )
        return self


class OutlineConfig(Config):
    """How the outlines in the collection's own files became masks."""

    exclusions: Literal["inside", "published"] = option(
        "inside",
        "an outline that excludes takes away what lies strictly inside it, or its line too, as pylidc does; prepare "
        "with the same",
    )


class CollectionConfig(OutlineConfig, LidcConfig):
    """The same options for nodules out of the collection's own files."""


class EverySliceConfig(LidcConfig):
    """The same options for collections that were published with every slice that some reader outlined."""

    raters: Literal["ranked", "exchangeable"] = option(
        "exchangeable", "columns are the anonymous slots as stored, or masks sorted by area (virtual raters)"
    )
    subset: Literal["four", "all"] = option("all", "all slices, or those with four non-empty masks")
