"""The challenge's files: one HDF5 file per case and folder.

``training/*.h5`` and ``validation/*.h5`` hold ``t1``, ``t1c``, ``t2`` and ``label_a1`` to ``label_a4``, each
(D, H, W), and ``voxel_spacing`` (3,) in mm. ``training_2d`` holds slices of the same cases and is not read.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from mrbench.data.hdf5 import MAX_ARRAY_BYTES, GuardedFile
from mrbench.errors import DataError
from mrbench_npc.splits import TRAINING, VALIDATION, case_name, number_of

CHANNELS = ("t1", "t1c", "t2")
LABELS = ("label_a1", "label_a2", "label_a3", "label_a4")
SIZE = 128
"""Rows and columns of a prepared case."""

HINT = "download the file again from the challenge's site, then: mrbench data prepare npc --source FOLDER"


@dataclass(frozen=True, eq=False)
class Volume:
    """One file, cropped or padded in its planes.

    Attributes:
        image: ``(3, D, 128, 128)`` float32; masks ``(4, D, 128, 128)`` uint8.
        spacing: mm along D, H, W, or None where the file states none.
        stored_spacing: as the file states it.
        native: (D, H, W) of the file.
        clipped: labelled voxels that the crop cut away, over all raters.
    """

    image: np.ndarray
    masks: np.ndarray
    spacing: tuple[float, ...] | None
    stored_spacing: tuple[float, ...] | None
    native: tuple[int, ...]
    clipped: int


def list_files(source: Path) -> dict[str, Path]:
    """The files by case name: training before validation, each by number.

    Raises:
        DataError: a folder is absent or empty, or two files carry one number.
    """
    return {case_name(part, path.stem): path for part in (TRAINING, VALIDATION) for path in _files(source, part)}


def _files(source: Path, part: str) -> list[Path]:
    folder = source / part
    # Archives made on a Mac carry files whose names begin with "._".
    found = [path for path in folder.glob("*.h5") if not path.name.startswith(".")] if folder.is_dir() else []
    if not found:
        raise DataError(
            f"{source} does not hold the challenge's files",
            expected=f"folders {TRAINING} and {VALIDATION} with .h5 files",
            found=f"no .h5 file in {folder}",
            hint="mrbench data prepare npc --source FOLDER, where FOLDER holds both",
        )
    numbered = sorted((number_of(path.stem), path) for path in found)
    for (number, first), (other, second) in pairwise(numbered):
        if number == other:
            raise DataError(f"{folder} holds two files of one number", found=f"{first.name} and {second.name}")
    return [path for _, path in numbered]


def read_volume(path: Path) -> Volume:
    """Reads and checks one file.

    Raises:
        DataError: naming the file: damaged, a key absent, shapes that differ, labels other than 0 and 1, images that
            are not finite.
    """
    with GuardedFile(path, hint=HINT) as file:
        shape = _shape(file)
        image = np.stack([_channel(file, key, shape) for key in CHANNELS])
        labels = np.stack([_label(file, key, shape) for key in LABELS])
        stored = _spacing(file)
    masks = fit(labels)
    return Volume(
        fit(image),
        masks,
        depth_first(stored),
        stored,
        shape,
        int(labels.sum(dtype=np.int64) - masks.sum(dtype=np.int64)),
    )


def _shape(file: GuardedFile) -> tuple[int, ...]:
    array = file.array(CHANNELS[0], kinds="uif", shape=(None, None, None), packed=True)
    shape: tuple[int, ...] = array.shape
    if 0 in shape or np.prod(shape, dtype=object) * 4 * len(CHANNELS) > MAX_ARRAY_BYTES:
        raise file.fault("has a wrong size", expected=f"volumes below {MAX_ARRAY_BYTES} bytes", found=str(shape))
    return shape


def _channel(file: GuardedFile, key: str, shape: tuple[int, ...]) -> np.ndarray:
    image = file.read(key, kinds="uif", shape=shape, packed=True).astype(np.float32)
    if not np.isfinite(image).all():
        raise file.fault(f"has an image {key} that is not finite", expected="finite float32", found="NaN or infinity")
    return image


def _label(file: GuardedFile, key: str, shape: tuple[int, ...]) -> np.ndarray:
    label = file.read(key, kinds="uifb", shape=shape, packed=True)
    values = np.unique(label)
    if not np.isin(values, (0, 1)).all():
        raise file.fault(f"has wrong labels in {key}", expected="0 and 1", found=str(values[:10].tolist()))
    return label.astype(np.uint8)


def _spacing(file: GuardedFile) -> tuple[float, ...] | None:
    if "voxel_spacing" not in file:
        return None
    values = tuple(file.read("voxel_spacing", kinds="uif", shape=(3,), packed=True).astype(float).tolist())
    if not all(0 < value < float("inf") for value in values):
        raise file.fault("has a wrong voxel_spacing", expected="three lengths above 0 mm", found=str(values))
    return values


def depth_first(spacing: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """``spacing`` in the order D, H, W.

    The challenge does not say whether its order is z, y, x or x, y, z. Rows and columns have one spacing, slices
    another: where the last value is the odd one out, the order was x, y, z.
    """
    if spacing is not None and spacing[0] == spacing[1] != spacing[2]:
        return spacing[::-1]
    return spacing


def fit(volume: np.ndarray) -> np.ndarray:
    """``(C, D, H, W)`` to ``(C, D, 128, 128)``: cropped about the centre, or padded with each channel's least value."""
    least = volume.min(axis=(1, 2, 3), keepdims=True)
    fitted = np.empty((*volume.shape[:2], SIZE, SIZE), volume.dtype)
    fitted[...] = least
    (to_rows, from_rows), (to_columns, from_columns) = (_overlap(length) for length in volume.shape[2:])
    fitted[:, :, to_rows, to_columns] = volume[:, :, from_rows, from_columns]
    return fitted


def _overlap(length: int) -> tuple[slice, slice]:
    kept = min(length, SIZE)
    there, here = (SIZE - kept) // 2, (length - kept) // 2
    return slice(there, there + kept), slice(here, here + kept)
