"""One case: an image with its raters' masks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mrbench.data.redraws import CaseRedraw


@dataclass(frozen=True, eq=False)
class Image:
    """What a method sees of a case: never its masks.

    Attributes:
        id: the case's name; unique in its data set.
        array: ``(C, H, W)`` or ``(C, D, H, W)`` float32, normalised.
        spacing: mm per axis of ``spatial``, or None where unknown.
    """

    id: str
    array: np.ndarray
    spacing: tuple[float, ...] | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """One image with its raters' masks; the unit of scoring.

    Attributes:
        id: unique in its data set.
        subject: the patient; folds never split one.
        image: ``(C, H, W)`` or ``(C, D, H, W)`` float32, normalised.
        masks: ``(R, *spatial)`` uint8 below K, 0 is background; an absent rater's row is all zero and means nothing.
        present: ``(R,)`` bool, who looked at this case; "marked nothing" is present with an empty mask.
        slice: number of the slice in its volume, or None.
        spacing: mm per axis of ``spatial``, or None where unknown.
        attributes: named ratings, each ``(R,)`` float, NaN where a rater gave none.
        metadata: free, JSON types.
        valid: ``(*spatial)`` bool, the pixels that count; where it is False (void) somebody could not or would not
            judge, and masks are 0. None: all count.
        redraw: what a rater who looked marks when asked again; None where the data set cannot say.
    """

    id: str
    subject: str
    image: np.ndarray
    masks: np.ndarray
    present: np.ndarray
    slice: int | None = None
    spacing: tuple[float, ...] | None = None
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    valid: np.ndarray | None = None
    redraw: CaseRedraw | None = None

    def without_masks(self) -> Image:
        """What a method may see."""
        return Image(self.id, self.image, self.spacing)
