"""What readers outlined, whichever file it was read from."""

from dataclasses import dataclass

import numpy as np

RATINGS = (
    "subtlety",
    "internalStructure",
    "calcification",
    "sphericity",
    "margin",
    "lobulation",
    "spiculation",
    "texture",
    "malignancy",
)
"""Names of the nine ratings, as the collection's files spell them."""

MAX_POINTS = 20_000
"""Of one outline."""

MAX_COORDINATE = 2**15


@dataclass(frozen=True, eq=False)
class Outline:
    """One closed line that a reader drew on one slice. It runs over the first pixels outside the nodule.

    Attributes:
        points: ``(P, 2)`` int64, column and row of each pixel of the line, in order.
        z: of the slice, in mm.
        uid: of the slice's image, empty where the source does not tell.
        included: does it enclose nodule (else a hole in it)?
    """

    points: np.ndarray
    z: float
    uid: str
    included: bool

    def __post_init__(self) -> None:
        if not 0 < len(self.points) <= MAX_POINTS or not np.isfinite(self.z):
            raise ValueError(f"an outline of {len(self.points)} points at z = {self.z}")
        if self.points.min() < 0 or self.points.max() > MAX_COORDINATE:
            raise ValueError(f"an outline with a point outside 0..{MAX_COORDINATE}")


@dataclass(frozen=True, eq=False)
class Annotation:
    """What one reader drew of one nodule.

    Attributes:
        outlines: on its slices.
        ratings: (9,) in the order of ``RATINGS``, 0 where missing.
    """

    outlines: tuple[Outline, ...]
    ratings: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Reading:
    """What all readers outlined in one series.

    Attributes:
        series: its identifier.
        annotations: of nodules of 3 mm or more, in the order of the source.
        scan: its number in the source, or None.
    """

    series: str
    annotations: tuple[Annotation, ...]
    scan: int | None = None


def as_rating(value: object) -> int:
    """A rating of 1 to 6, else 0: missing."""
    text = str(value).strip()
    return int(text) if text in {"1", "2", "3", "4", "5", "6"} else 0
