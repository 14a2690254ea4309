"""The grid of a case: its image and masks from several files, brought to one order of axes, or refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np

from mrbench.data.geometry import Geometry, Reordering, check_spacing, onto, same_grid, to_ras
from mrbench.errors import DataError

Shape = tuple[int, ...]


class OnGrid(Protocol):
    """A file, of which the header is known."""

    @property
    def shape(self) -> Shape: ...
    @property
    def mask_shape(self) -> Shape: ...
    @property
    def geometry(self) -> Geometry | None: ...
    @property
    def spacing(self) -> tuple[float, ...] | None: ...


@dataclass(frozen=True, eq=False)
class Frame:
    """The grid on which a case is kept.

    Attributes:
        name: of the image, for messages.
        lies: ``(D, H, W)`` of the image's file as it lies, without channels.
        reference: the geometry of that; None where no file of the case states one.
        order: from there to the axes that are kept.
        channel_axis: the image's axis 0 or -1 that its masks lack; None where it has none.
        spacings: mm along the last axes as they lie, of a file that knows them; else None.
    """

    name: str
    lies: Shape
    reference: Geometry | None
    order: Reordering
    channel_axis: int | None
    spacings: tuple[float, ...] | None

    @property
    def geometry(self) -> Geometry | None:
        """The grid that is kept; None where none is stated."""
        return None if self.reference is None else self.reference.reordered(self.order)

    @property
    def spatial(self) -> Shape:
        """``(H, W)`` or ``(D, H, W)`` that is kept."""
        return plain(tuple(self.lies[2 - axis] for axis in self.order.axes[::-1]))

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """mm along D, H, W, or along H, W where no file knows the third; None where unknown."""
        if self.spacings is None:
            return None
        unknown = 3 - len(self.spacings)  # in front, where a single plane's own axis stays
        lies = (np.nan,) * unknown + self.spacings
        return tuple(lies[2 - axis] for axis in self.order.axes[::-1])[unknown:]

    def n_channels(self, image: Shape) -> int:
        """C of an image of the shape that its file has."""
        return 1 if self.channel_axis is None else image[self.channel_axis]

    def image(self, values: np.ndarray) -> np.ndarray:
        """``(C, *spatial)`` of the image as its file holds it."""
        first = values[None] if self.channel_axis is None else np.moveaxis(values, self.channel_axis, 0)
        kept = self.order.apply(first.reshape(len(first), *self.lies))
        return np.ascontiguousarray(kept).reshape(len(first), *self.spatial)

    def mask(self, values: np.ndarray, file: OnGrid, where: str) -> np.ndarray:
        """``(*spatial)`` of a mask as its file holds it.

        Raises:
            DataError: by its own header it lies elsewhere than the image, or it has another size; names both.
        """
        own = self.order_of(file, where)
        if own is None:
            self._check_as_it_lies(file, where)
            values = values.reshape(self.lies)
        else:
            values = own.apply(values.reshape(file.geometry.array_shape))  # type: ignore[union-attr]
        return np.ascontiguousarray(self.order.apply(values)).reshape(self.spatial)

    def order_of(self, file: OnGrid, where: str) -> Reordering | None:
        """From a mask's axes to those of the image; None where it is taken as it lies, since a header says nothing."""
        if self.reference is None or file.geometry is None or prod(file.mask_shape) != prod(file.geometry.shape):
            return None
        return same_grid(self.reference, file.geometry, where, f"its image {self.name}")

    def _check_as_it_lies(self, file: OnGrid, where: str) -> None:
        if lengths(file.mask_shape) != lengths(self.lies):
            raise _other_size(where, self.name, self.lies, file.mask_shape)
        theirs = file.spacing and file.spacing[-len(plain(file.mask_shape)) :]
        check_spacing(self.spacings, theirs, where, f"its image {self.name}")


def frame_of(image: OnGrid, masks: Iterable[OnGrid], name: str, where: str) -> Frame:
    """The frame of an image and its masks, at least one; what states no directions lies like the rest.

    Args:
        image: the image.
        masks: its masks; the first one tells which axes of the image are channels.
        name, where: of the image and of the first mask, for messages.

    Raises:
        DataError: the first mask has another size than the image, or they are neither slices nor volumes.
    """
    files = list(masks)
    axis, lies = _without_channels(image, files[0], name, where)
    stated = [_geometry_of(image, lies, axis), *(mask.geometry for mask in files)]
    reference = _reference([one for one in stated if one is not None and prod(one.shape) == prod(lies)])
    if reference is not None:
        lies = reference.array_shape
    spacings = next((one for one in (_spacing_of(image, axis), *(mask.spacing for mask in files)) if one), None)
    order = Reordering() if reference is None else to_ras(reference)
    return Frame(name, lies, reference, order, axis, spacings)


def plain(shape: Shape) -> Shape:
    """The shape without axes of length one before and behind, down to two axes."""
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _without_channels(image: OnGrid, mask: OnGrid, name: str, where: str) -> tuple[int | None, Shape]:
    """The axis of an image that is of channels, and its other axes, three of them."""
    choices: list[tuple[int | None, Shape]] = [(None, image.shape), (-1, image.shape[:-1]), (0, image.shape[1:])]
    # Headers say which axis is which, so that those of a mask may come in another order.
    turned = image.geometry is not None and mask.geometry is not None
    for same in (lengths, lambda shape: sorted(lengths(shape))) if turned else (lengths,):
        for axis, shape in choices:
            if same(shape) == same(mask.mask_shape):
                return axis, _three_axes(shape, name)
    raise _other_size(where, name, image.shape, mask.mask_shape)


def _three_axes(shape: Shape, name: str) -> Shape:
    found = plain(shape)
    if len(found) not in (2, 3):
        raise DataError(f"{name} is neither a slice nor a volume", expected="two or three axes", found=str(found))
    return (*(1,) * (3 - len(found)), *found)


def _other_size(where: str, name: str, expected: Shape, found: Shape) -> DataError:
    return DataError(
        f"{where} has another size than its image {name}",
        expected=f"that of the image: {_size(expected)}",
        found=_size(found),
        hint="masks are scored on the grid of their image: resample them by nearest neighbour, or take the "
        "image that they were drawn on",
    )


def _reference(known: Sequence[Geometry]) -> Geometry | None:
    """The first one, unless it is what programs write that do not know it and another one contradicts it."""
    stated = [one for one in known if not one.bare]
    return stated[0] if stated and onto(known[0], stated[0]) is None else next(iter(known), None)


def _geometry_of(image: OnGrid, lies: Shape, channel_axis: int | None) -> Geometry | None:
    """Of an image whose x or z may be channels: x leaves nothing to compare with, z one plane."""
    geometry = image.geometry
    if geometry is None or prod(geometry.shape) == prod(lies):
        return geometry
    width, height, _ = geometry.shape
    return None if channel_axis == -1 else Geometry(geometry.affine, (width, height, 1), geometry.bare)


def _spacing_of(image: OnGrid, channel_axis: int | None) -> tuple[float, ...] | None:
    return image.spacing and (image.spacing[:-1] if channel_axis == -1 else image.spacing)


def lengths(shape: Shape) -> list[int]:
    """Of the axes that are longer than one."""
    return [length for length in shape if length != 1]


def _size(shape: Shape) -> str:
    return " x ".join(map(str, plain(shape)))
