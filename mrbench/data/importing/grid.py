"""Axes of an image and of its masks: a mask's are those that are scored, and what an image has more are channels."""

import numpy as np

Shape = tuple[int, ...]


def plain(shape: Shape) -> Shape:
    """The shape without axes of length one before and behind, down to two axes."""
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def channel_axis(image: Shape, spatial: Shape) -> int | None:
    """The axis of an image that its masks lack: 0 or -1; None where it has none, or is on another grid.

    Args:
        image: shape of the image.
        spatial: plain shape of the masks.
    """
    if plain(image) == spatial:
        return None
    return next((axis for axis, rest in ((-1, image[:-1]), (0, image[1:])) if plain(rest) == spatial), None)


def n_channels(image: Shape, spatial: Shape) -> int:
    """C, or 0 where image and masks are not on one grid."""
    axis = channel_axis(image, spatial)
    return int(plain(image) == spatial) if axis is None else image[axis]


def as_channels(image: np.ndarray, spatial: Shape) -> np.ndarray:
    """``(C, *spatial)``, the spatial axes plain."""
    axis = channel_axis(image.shape, spatial)
    first = image if axis is None else np.moveaxis(image, axis, 0)
    return np.ascontiguousarray(first.reshape(1 if axis is None else len(first), *spatial))
