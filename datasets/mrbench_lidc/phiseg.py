"""PHiSeg's file: groups ``train``, ``val`` and ``test`` of N slices each.

images  (N, 128, 128) floats, the Probabilistic U-Net's values minus 0.5
labels  (N, 128, 128, 4) integers, 0 and 1, the readers last
uids    (N,) integers that tell series apart: Python's hashes of their names, which differ from file to file
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.data.hdf5 import GuardedFile
from mrbench.data.splits import Fold, Split
from mrbench.errors import DataError
from mrbench_lidc.collection import PHISEG, SLOTS

GROUPS = ("train", "val", "test")

_HINT = "mrbench data prepare lidc-phiseg --source FILE, with the file as PHiSeg's code makes it"


@dataclass(frozen=True)
class _Group:
    name: str
    images: Any
    labels: Any
    uids: list[int]


def read_phiseg(file: GuardedFile) -> CaseSet:
    """The slices of all groups, one after another, with the file's own split as ``published``.

    Args:
        file: open until the last slice has been read.

    Raises:
        DataError: not laid out as above; names the file, and the slice where it is one's.
    """
    groups = [_group(file, name) for name in GROUPS]
    ids = tuple(f"{group.name}-{i}" for group in groups for i in range(len(group.uids)))
    ends = np.cumsum([len(group.uids) for group in groups])
    parts = [np.arange(end - len(group.uids), end) for group, end in zip(groups, ends, strict=True)]
    return CaseSet(
        description=PHISEG.describe(),
        pixels=_Pixels(file, groups),
        ids=ids,
        subjects=tuple(f"series{uid}" for group in groups for uid in group.uids),
        present=np.ones((len(ids), len(SLOTS)), bool),
        splits={"published": Split("published", (Fold(*parts),))},
    )


def open_phiseg(path: Path) -> GuardedFile:
    """The file, guarded."""
    return GuardedFile(path, hint=_HINT)


def _group(file: GuardedFile, name: str) -> _Group:
    uids = file.read(f"{name}/uids", kinds="iu", shape=(None,), packed=True).tolist()
    size = PHISEG.size
    images = _rows(file, f"{name}/images", "f", (len(uids), size, size))
    labels = _rows(file, f"{name}/labels", "iu", (len(uids), size, size, len(SLOTS)))
    return _Group(name, images, labels, uids)


def _rows(file: GuardedFile, path: str, kinds: str, shape: tuple[int, ...]) -> Any:
    # In one block, as PHiSeg writes them, slices are read one by one; chunks may hold any number of them.
    array = file.streamed(path, kinds=kinds, shape=shape)
    return array if array.chunks is None else file.read(path, kinds=kinds, shape=shape, packed=True)


class _Pixels:
    """One slice at a time."""

    def __init__(self, file: GuardedFile, groups: list[_Group]) -> None:
        self._file = file
        self._places = [(group, i) for group in groups for i in range(len(group.uids))]

    def __len__(self) -> int:
        return len(self._places)

    def image(self, index: int) -> np.ndarray:
        """``(1, H, W)`` float32 in 0..1."""
        group, i = self._places[index]
        with self._file.reading(f"has a damaged member /{group.name}/images"):
            image = group.images[i].astype(np.float64) + 0.5
        if not (np.isfinite(image).all() and image.min() >= -1e-6 and image.max() <= 1 + 1e-6):
            raise self._wrong(group, i, "images", "values -0.5..0.5", f"{image.min() - 0.5}..{image.max() - 0.5}")
        return image.clip(0, 1).astype(np.float32)[None]

    def masks(self, index: int) -> np.ndarray:
        """``(4, H, W)`` uint8."""
        group, i = self._places[index]
        with self._file.reading(f"has a damaged member /{group.name}/labels"):
            labels = group.labels[i]
        if not ((labels == 0) | (labels == 1)).all():
            raise self._wrong(group, i, "labels", "0 and 1", f"{labels.min()}..{labels.max()}")
        return np.ascontiguousarray(np.moveaxis(labels, -1, 0), np.uint8)

    def _wrong(self, group: _Group, i: int, name: str, expected: str, found: str) -> DataError:
        return self._file.fault(f"has wrong {name} in slice {i} of /{group.name}", expected=expected, found=found)
