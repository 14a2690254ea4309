"""What an import asks for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mrbench.data.description import Augmentation, Raters
from mrbench.data.mask_rules import AS_STORED, MaskRules

RaterAxis = Literal["first", "last"]
"""Of the axes of a file, as it stores them."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be imported, and what cannot be seen of it.

    Attributes:
        folder: of images and masks, or an HDF5 file that holds them.
        name: of the data set.
        images, masks: patterns of names; none: they are understood from the names.
        table: a CSV file that names the files instead.
        subject_from: pattern of the names of cases that says whose they are.
        classes: names of the foreground classes.
        rules: what is said of the values in masks.
        rater_axis: axis of mask files along which raters lie; None: as the shapes tell.
        rater_names: of the raters along that axis; empty: numbered.
        void: value of pixels that a rater did not judge; they count for nobody. None: there is none.
        raters: identified or exchangeable; None: as the names recur.
        folds: None: 5, or as many as there are subjects.
        training_size: (H, W); None: the largest, where images differ in size.
        augmentation: what training may do to a slice.
        licence, citation: of the data.
    """

    folder: Path
    name: str
    images: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    table: Path | None = None
    subject_from: str | None = None
    classes: tuple[str, ...] = ()
    rules: MaskRules = AS_STORED
    rater_axis: RaterAxis | None = None
    rater_names: tuple[str, ...] = ()
    void: int | None = None
    raters: Raters | None = None
    folds: int | None = None
    training_size: tuple[int, int] | None = None
    augmentation: tuple[Augmentation, ...] = ()
    licence: str = ""
    citation: str = ""
