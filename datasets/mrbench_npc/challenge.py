"""The folders of task 1: one HDF5 file per case in ``training`` and ``validation``, per slice in ``training_2d``.

A volume holds ``t1``, ``t1c``, ``t2`` and ``label_a1`` to ``label_a4``, each (D, H, W), and ``voxel_spacing`` (3,) in
mm; a slice holds the same arrays, each (H, W), and no spacing. ``training_2d`` is read only where it is asked for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from mrbench.data.inside import check_inside
from mrbench.data.odd_files import is_odd
from mrbench.errors import DataError
from mrbench_npc.files import PLANE, VOLUME, depth_first, read_file
from mrbench_npc.splits import SLICES, TRAINING, VALIDATION, case_name, number_of

CHANNELS = ("t1", "t1c", "t2")
LABELS = ("label_a1", "label_a2", "label_a3", "label_a4")
SIZE = 128
"""Rows and columns of a prepared case."""

HINT = "download the file again from the challenge's site, then: mrbench data prepare npc --source FOLDER"


@dataclass(frozen=True, eq=False)
class Volume:
    """One file, cropped or padded in its planes; a slice is a volume of depth one.

    Attributes:
        image: ``(3, D, 128, 128)`` float32; masks ``(4, D, 128, 128)`` uint8.
        spacing: mm along D, H, W, or None where the file states none.
        stored_spacing: as the file states it.
        native: lengths of the axes in the file.
        clipped: labelled voxels that the crop cut away, over all raters.
    """

    image: np.ndarray
    masks: np.ndarray
    spacing: tuple[float, ...] | None
    stored_spacing: tuple[float, ...] | None
    native: tuple[int, ...]
    clipped: int


def list_files(source: Path) -> dict[str, Path]:
    """The volumes by case name: training before validation, each by number.

    Raises:
        DataError: a folder is absent or empty, or two files carry one number.
    """
    return {case_name(part, path.stem): path for part in (TRAINING, VALIDATION) for path in _numbered(source, part)}


def list_slices(source: Path, volumes: Mapping[str, Path]) -> dict[str, tuple[str, Path]]:
    """The files of ``training_2d`` by case name, each with the case whose slice it is, in the order of their names.

    A slice is named after its volume, ``Sample_7_slice_12`` after ``Sample_7``.

    Args:
        source: the challenge's folder.
        volumes: those of :func:`list_files`.

    Raises:
        DataError: the folder is absent or empty, a slice is of no training volume, or a training volume has none.
    """
    training = {path.stem: name for name, path in volumes.items() if name.startswith(f"{TRAINING}-")}
    files = sorted(_files(source, SLICES))
    slices = {case_name(SLICES, path.stem): (_volume_of(path, training), path) for path in files}
    if absent := sorted(set(training.values()) - {owner for owner, _ in slices.values()}):
        raise DataError(f"{source / SLICES} has no slice of {len(absent)} training cases", found=f"{absent[0]} first")
    return slices


def _volume_of(path: Path, training: Mapping[str, str]) -> str:
    found = re.fullmatch(r"(.*\d)\D+\d{1,9}", path.stem)
    if found is None or found[1] not in training:
        raise DataError(
            f"slice {path} is of no training case",
            expected="the name of a file in training and a number, such as Sample_7_slice_12",
            found=path.stem,
        )
    return training[found[1]]


def _numbered(source: Path, part: str) -> list[Path]:
    numbered = sorted((number_of(path.stem), path) for path in _files(source, part))
    for (number, first), (other, second) in pairwise(numbered):
        if number == other:
            raise DataError(f"{source / part} holds two files of one number", found=f"{first.name} and {second.name}")
    return [path for _, path in numbered]


def _files(source: Path, part: str) -> list[Path]:
    folder = source / part
    found = [path for path in folder.glob("*.h5") if not is_odd(path.name)] if folder.is_dir() else []
    if not found:
        raise DataError(
            f"{source} does not hold the challenge's files",
            expected=f"folders {TRAINING} and {VALIDATION} with .h5 files"
            + (f", and {SLICES} for slices={SLICES}" if part == SLICES else ""),
            found=f"no .h5 file in {folder}",
            hint="mrbench data prepare npc --source FOLDER, where FOLDER holds them",
        )
    for path in found:
        check_inside(path, source, hint=HINT)
    return found


def read_volume(path: Path) -> Volume:
    """Reads and checks the file of a case. Errors: those of :func:`~mrbench_npc.files.read_file`."""
    return _read(path, VOLUME)


def read_slice(path: Path) -> Volume:
    """Reads and checks the file of a slice, D = 1. Errors: those of :func:`~mrbench_npc.files.read_file`."""
    return _read(path, PLANE)


def _read(path: Path, axes: int) -> Volume:
    stored = read_file(path, CHANNELS, LABELS, HINT, axes)
    native = stored.image.shape[1:]
    image, labels = (array.reshape(len(array), -1, *native[-2:]) for array in (stored.image, stored.labels))
    masks = fit(labels)
    clipped = int(labels.sum(dtype=np.int64) - masks.sum(dtype=np.int64))
    return Volume(fit(image), masks, depth_first(stored.spacing), stored.spacing, native, clipped)


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
