"""A file of the challenge: HDF5 with one array per MR sequence and one per annotator, all of one shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.hdf5 import MAX_ARRAY_BYTES, GuardedFile
from mrbench.data.mask_values import whole_labels

SPACING = "voxel_spacing"
VOLUME, PLANE = 3, 2
"""Axes of an array: (D, H, W) or (H, W)."""


@dataclass(frozen=True, eq=False)
class Stored:
    """What a file holds, as it holds it.

    Attributes:
        image: ``(C, *spatial)`` float32.
        labels: ``(R, *spatial)`` uint8 of 0 and 1, R of those that were asked for.
        spacing: three lengths in mm in the file's own order, or None where it states none.
    """

    image: np.ndarray
    labels: np.ndarray
    spacing: tuple[float, ...] | None


def read_file(path: Path, channels: Sequence[str], labels: Sequence[str], hint: str, axes: int = VOLUME) -> Stored:
    """Reads and checks the named arrays of one file.

    Args:
        path: the file.
        channels, labels: names of the arrays.
        hint: the next command, for messages.
        axes: of the arrays.

    Raises:
        DataError: naming the file: damaged, an array absent, shapes that differ, labels other than 0 and 1, images that
            are not finite.
    """
    with GuardedFile(path, hint=hint) as file:
        shape = shape_of(file, channels, axes)
        return Stored(
            np.stack([_channel(file, name, shape) for name in channels]),
            np.stack([_label(file, name, shape) for name in labels]),
            _spacing(file),
        )


def shape_of(file: GuardedFile, channels: Sequence[str], axes: int = VOLUME) -> tuple[int, ...]:
    """The shape of the first channel, before any memory is taken.

    Raises:
        DataError: absent, of other axes, empty or too large.
    """
    array = file.array(channels[0], kinds="uif", shape=(None,) * axes, packed=True)
    shape: tuple[int, ...] = array.shape
    if 0 in shape or np.prod(shape, dtype=object) * 4 * len(channels) > MAX_ARRAY_BYTES:
        raise file.fault("has a wrong size", expected=f"images below {MAX_ARRAY_BYTES} bytes", found=str(shape))
    return shape


def _channel(file: GuardedFile, name: str, shape: tuple[int, ...]) -> np.ndarray:
    image = file.read(name, kinds="uif", shape=shape, packed=True).astype(np.float32)
    if not np.isfinite(image).all():
        raise file.fault(f"has an image {name} that is not finite", expected="finite float32", found="NaN or infinity")
    return image


def _label(file: GuardedFile, name: str, shape: tuple[int, ...]) -> np.ndarray:
    values = file.read(name, kinds="uifb", shape=shape, packed=True)
    labels = whole_labels(values, f"{file.shown} (array {name})").labels
    if labels.max() > 1:
        raise file.fault(f"has wrong labels in {name}", expected="0 and 1", found=str(np.unique(labels)[:10].tolist()))
    return labels.astype(np.uint8)


def _spacing(file: GuardedFile) -> tuple[float, ...] | None:
    if SPACING not in file:
        return None
    values = tuple(file.read(SPACING, kinds="uif", shape=(3,), packed=True).astype(float).tolist())
    if not all(0 < value < float("inf") for value in values):
        raise file.fault(f"has a wrong {SPACING}", expected="three lengths above 0 mm", found=str(values))
    return values


def depth_first(spacing: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """``spacing`` in the order D, H, W.

    The challenge does not say whether its order is z, y, x or x, y, z. Rows and columns have one spacing, slices
    another: where the last value is the odd one out, the order was x, y, z.
    """
    if spacing is not None and spacing[0] == spacing[1] != spacing[2]:
        return spacing[::-1]
    return spacing
