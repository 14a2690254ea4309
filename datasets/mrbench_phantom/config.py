"""What can be chosen of the phantom; every option moves the data and so enters the data digest."""

from typing import Literal

from pydantic import ValidationInfo, field_validator

from mrbench.configuration import Config, added_option, option


class PhantomConfig(Config):
    """Options of the phantom.

    A subject's images depend on ``seed``, ``size`` and ``slices`` alone, the masks on ``style_scale`` too.
    """

    raters: int = option(4, "number of raters; the first ones stay the same when more are asked for", ge=2, le=8)
    size: int = option(64, "side of the square slices in pixels; the field of view stays 44.8 mm", ge=32, le=1024)
    subjects: int = option(96, "number of subjects, each with one lesion", ge=3, le=100_000)
    slices: int = option(4, "slices per subject: this number, one fewer or one more, at least one", ge=1, le=16)
    unit: Literal["slice", "volume"] = option("slice", "unit of scoring: each slice, or a subject's slices stacked")
    missing: float = option(0.0, "share of (case, rater) pairs that are absent; one rater always stays", ge=0, lt=1)
    seed: int = option(0, "seed of the images and masks", ge=0)
    style_scale: float = added_option(
        1.0, "part of each rater's departure from the mean style: 0 no styles, 1 styles in full", ge=0, le=1
    )
    folds: int = option(3, "number of folds, by subject", ge=2)
    split_seed: int = option(0, "seed of the split", ge=0)

    @field_validator("folds")
    @classmethod
    def _enough_subjects(cls, folds: int, info: ValidationInfo) -> int:
        subjects = info.data.get("subjects", folds)
        if folds > subjects:
            raise ValueError(f"at most the number of subjects, {subjects}")
        return folds
