"""What a data set declares of itself."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from mrbench.errors import DataError


class Raters(StrEnum):
    """Who the columns of the masks are."""

    IDENTIFIED = "identified"
    """The same person in every case."""
    RANKED = "ranked"
    """Virtual raters: the masks of each case sorted by area, ascending."""
    EXCHANGEABLE = "exchangeable"
    """Anonymous: column r of one case and of another are not the same person."""


class Unit(StrEnum):
    """What one case is."""

    SLICE = "slice"
    VOLUME = "volume"


Normalisation = Literal["none", "byte", "z-score"]
"""``byte``: value / 255; ``z-score``: zero mean, unit variance per case and channel."""

Augmentation = Literal["flip", "rotate90", "rotate", "noise"]
"""What training may do to a slice of this data set without making it another kind of image."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """The declarations of a data set; they enter its digest.

    Attributes:
        name, version: of the data set.
        classes: names of the K classes; class 0 is the background.
        channels: names of the C image channels.
        raters: who the columns are.
        rater_names: names of the R columns.
        unit: the unit of scoring.
        normalisation: how stored images become the float32 that methods see.
        augmentation: what training may do to a slice.
        training_size: (H, W) that training slices are centre-cropped or padded to; None where all are of one size.
        native_grid: are the masks on the grid that they were drawn on?
        licence, citation, origin: where the data come from.
    """

    name: str
    version: str
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    raters: Raters
    rater_names: tuple[str, ...]
    unit: Unit = Unit.SLICE
    normalisation: Normalisation = "none"
    augmentation: tuple[Augmentation, ...] = ()
    training_size: tuple[int, int] | None = None
    native_grid: bool = True
    licence: str = ""
    citation: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise DataError(
                f"data set {self.name!r} has one class only",
                expected="a background class and at least one foreground class",
                found=f"classes = {list(self.classes)}",
            )
        if not self.rater_names:
            raise DataError(f"data set {self.name!r} declares no rater", expected="at least one rater name")

    @property
    def n_classes(self) -> int:
        """K, background included."""
        return len(self.classes)

    @property
    def n_raters(self) -> int:
        """R."""
        return len(self.rater_names)

    def as_json(self) -> dict[str, Any]:
        """The declarations as JSON types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Description":
        """The inverse of :meth:`as_json`.

        Raises:
            TypeError, ValueError: keys or values that no description has.
        """
        lists: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**lists | {"raters": Raters(values["raters"]), "unit": Unit(values["unit"])})
