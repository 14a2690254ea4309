"""Images of other people: which files they are, and each as a data set would store it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.description import Description, Unit
from mrbench.data.frame import Frame, Shape, frame_of
from mrbench.data.geometry import Geometry
from mrbench.data.image_file import ImageFile, open_image
from mrbench.data.importing.listing import ENDINGS, list_files, split_ending
from mrbench.data.stored_image import stored_image
from mrbench.errors import DataError, UsageError


@dataclass(frozen=True)
class Named:
    """An image file.

    Attributes:
        name: the case's name: the file's without its ending, in a folder with the folders before it.
        path: the file.
    """

    name: str
    path: Path


@dataclass(frozen=True, eq=False)
class NewImage:
    """An image that no data set has.

    Attributes:
        named: its file.
        array: ``(C, H, W)`` or ``(C, D, H, W)`` as a data set stores it, axes closest to RAS where the file knows them.
        frame: from the file's own axes to these.
        shape: of a mask in the file's own axes.
        ending: of the file, in lower case.
    """

    named: Named
    array: np.ndarray
    frame: Frame
    shape: Shape
    ending: str

    @property
    def spacing(self) -> tuple[float, float] | None:
        """mm along H and W; None where unknown."""
        found = (self.frame.spacing or ())[-2:]
        known = len(found) == 2 and all(0 < mm < float("inf") for mm in found)
        return (found[0], found[1]) if known else None

    def as_file(self, values: np.ndarray) -> np.ndarray:
        """Values ``(*spatial)`` of this image in the file's own axes."""
        kept = tuple(self.frame.lies[2 - axis] for axis in self.frame.order.axes[::-1])
        lies = self.frame.order.inverse.apply(values.reshape(kept))
        return np.ascontiguousarray(lies).reshape(self.shape)


def named_images(paths: Sequence[Path]) -> list[Named]:
    """The image files that paths name, a folder all of those in it, each with a name of its own.

    Raises:
        UsageError: a path where nothing is, a folder without images, or two images of one name.
        DataError: a folder with links out of it, or names that are not UTF-8.
    """
    found = [named for path in paths for named in _at(path)]
    name, times = Counter(named.name for named in found).most_common(1)[0]
    if times > 1:
        same = [str(named.path) for named in found if named.name == name]
        raise UsageError(f"{times} images are called {name!r}", found=", ".join(same), hint="predict them one by one")
    return found


def _at(path: Path) -> Iterator[Named]:
    if path.is_dir():
        listing = list_files(path)
        if not listing.images:
            found = ", ".join(listing.others[:5]) or "no files"
            raise UsageError(f"{path} holds no images", expected=", ".join(ENDINGS), found=found)
        yield from (Named(split_ending(name)[0], path / name) for name in listing.images)
        return
    if not path.is_file():
        raise UsageError(f"there is no image {path}", hint="name an image file, or a folder of them")
    yield Named(split_ending(path.name)[0] or path.name, path)


def read_image(named: Named, description: Description) -> NewImage:
    """An image as the data set stores its own.

    Raises:
        DataError: it cannot be read, has other channels, values or dimensions than the data set; names the file.
    """
    path = named.path
    with open_image(path, where := str(path)) as file:
        alone = _Alone(_without_channels(file, description, where))
        frame = frame_of(file, [alone], where, where)
        array = stored_image(file, frame, path)
    spatial = _spatial(frame, description, where)
    _check_values(array, description, where)
    ending = split_ending(path.name)[1] or path.suffix.lower()
    return NewImage(named, array.reshape(len(array), *spatial), frame, alone.shape, ending)


@dataclass(frozen=True)
class _Alone:
    """The grid of an image in the place of a mask's."""

    shape: Shape
    geometry: Geometry | None = None
    spacing: tuple[float, ...] | None = None

    @property
    def mask_shape(self) -> Shape:
        return self.shape


def _without_channels(file: ImageFile, description: Description, where: str) -> Shape:
    shape, channels = file.shape, len(description.channels)
    if channels == 1 and not file.colours:
        return shape
    if channels > 1 and len(shape) > 2:
        for rest, own in ((shape[:-1], shape[-1]), (shape[1:], shape[0])):
            if own == channels:
                return rest
    axes = "x".join(map(str, shape))
    raise DataError(
        f"{where} has other channels than data set {description.name!r}",
        expected=f"{channels} ({', '.join(description.channels)})",
        found="3 (red, green, blue)" if file.colours else f"1, or axes {axes} of which none is channels",
        hint="save it in grey" if file.colours and channels == 1 else "give images of the kind that it was trained on",
    )


def _spatial(frame: Frame, description: Description, where: str) -> Shape:
    axes = 3 if description.unit is Unit.VOLUME else 2
    spatial = (1,) * (axes - len(frame.spatial)) + frame.spatial
    if len(spatial) > axes:
        raise DataError(
            f"{where} is a volume, and data set {description.name!r} is of slices",
            expected="(H, W)",
            found=f"(D, H, W) = {spatial}",
            hint="save its slices as images of their own, turned as the data set has them",
        )
    return spatial


def _check_values(array: np.ndarray, description: Description, where: str) -> None:
    if description.normalisation != "byte":
        return
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 255 or (array.dtype.kind == "f" and 0 < high <= 1):
        raise DataError(
            f"{where} has other values than data set {description.name!r}",
            expected="0 to 255",
            found=f"{array.dtype}, {low:g} to {high:g}",
            hint="scale it as the images were that it was trained on, and save 8 bits",
        )
