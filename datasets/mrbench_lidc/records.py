"""The pickles of published slices: a dict of N records, one per slice, by whatever key.

    image       (128, 128), 0..255 (the benchmark's) or 0..1 (the Probabilistic U-Net's)
    masks       list of four arrays (128, 128) of 0 and 1; empty ones fill up where fewer readers outlined
    series_uid  ``<study>_slice<k>``; in the Probabilistic U-Net's file the slice may be left out

Other entries of a record are ignored.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.data.pickles import read_pickle
from mrbench.errors import DataError
from mrbench_lidc.collection import SLOTS, Collection
from mrbench_lidc.published import subject_of

_NAME = re.compile(r"([^_]+)(?:_slice([0-9]{1,6}))?")


@dataclass(frozen=True)
class Layout:
    """What one of the pickles holds.

    Attributes:
        collection: what its slices become.
        slices: how many there are.
        brightest: the greatest value of an image; with 255, images are whole numbers.
        numbered: does every name tell its slice?
    """

    collection: Collection
    slices: int
    brightest: int
    numbered: bool


def read_records(path: Path, layout: Layout) -> CaseSet:
    """The slices of a pickle in the order of the file, checked when they are asked for.

    Raises:
        DataError: not such a pickle; names the file, and the record where it is one's.
    """
    hint = f"mrbench data prepare {layout.collection.name} --source FILE, with the file as published"
    records = _Records(path, layout, hint)
    names = [records.name(i) for i in range(len(records))]
    numbers = [int(number) for _, number in names if number is not None]
    ids = tuple(_unique([name for name, _ in names]))
    return CaseSet(
        description=layout.collection.describe(),
        pixels=records,
        ids=ids,
        subjects=tuple(subject_of(name) for name, _ in names),
        present=np.ones((len(ids), len(SLOTS)), bool),
        slices=tuple(numbers) if len(numbers) == len(ids) else None,
    )


def _unique(names: list[str]) -> list[str]:
    # One series has many slices, and several nodules may lie on one: a name that repeats is numbered.
    total, seen = Counter(names), Counter[str]()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name}_{seen[name]}" if total[name] > 1 else name)
    return found


class _Records:
    """Images and masks out of the records."""

    def __init__(self, path: Path, layout: Layout, hint: str) -> None:
        self.path, self.layout, self.hint = path, layout, hint
        content = read_pickle(path, hint=hint)
        if type(content) is not dict or len(content) != layout.slices:
            found = f"{len(content)} records" if type(content) is dict else f"a {type(content).__name__}"
            raise self._fault("does not hold the slices", f"a dict of {layout.slices} records", found)
        self._records = list(content.values())

    def __len__(self) -> int:
        return len(self._records)

    def name(self, index: int) -> tuple[str, str | None]:
        """The name of a slice, and its number where the name tells it."""
        text = self._entry(index, "series_uid")
        found = _NAME.fullmatch(text) if type(text) is str and len(text) <= 200 else None
        if found is None or (self.layout.numbered and found[2] is None):
            shown = repr(text[:80]) if type(text) is str else f"a {type(text).__name__}"  # others may never end
            raise self._wrong(index, "series_uid", "a text <study>_slice<k>", shown)
        return found[0], found[2]

    def image(self, index: int) -> np.ndarray:
        """``(1, H, W)``: uint8 where the pickle's values reach 255, else float32."""
        image = self._plane(index, "image", self._entry(index, "image"))
        if not (np.isfinite(image).all() and image.min() >= 0 and image.max() <= self.layout.brightest):
            raise self._wrong(index, "image", f"values 0..{self.layout.brightest}", f"{image.min()}..{image.max()}")
        return image[None].astype(np.uint8 if self.layout.brightest == 255 else np.float32)

    def masks(self, index: int) -> np.ndarray:
        """``(4, H, W)`` uint8."""
        masks = self._entry(index, "masks")
        if type(masks) is np.ndarray and masks.shape[:1] == (len(SLOTS),):
            masks = list(masks)
        if type(masks) not in (list, tuple) or len(masks) != len(SLOTS):
            raise self._wrong(index, "masks", f"a list of {len(SLOTS)} arrays", f"{type(masks).__name__}")
        stack = np.stack([self._plane(index, "masks", mask) for mask in masks])
        if not ((stack == 0) | (stack == 1)).all():
            raise self._wrong(index, "masks", "0 and 1", f"{stack.min()}..{stack.max()}")
        return stack.astype(np.uint8)

    def _entry(self, index: int, name: str) -> Any:
        record = self._records[index]
        if not isinstance(record, Mapping) or name not in record:
            raise self._wrong(index, name, "a dict with image, masks and series_uid", f"none of {name!r}")
        return record[name]

    def _plane(self, index: int, name: str, plane: Any) -> np.ndarray:
        size = (self.layout.collection.size,) * 2
        if type(plane) is not np.ndarray or plane.shape != size:
            found = str(plane.shape) if type(plane) is np.ndarray else type(plane).__name__
            raise self._wrong(index, name, f"an array {size}", found)
        return plane

    def _wrong(self, index: int, name: str, expected: str, found: str) -> DataError:
        return self._fault(f"has a wrong {name} in record {index}", expected, found)

    def _fault(self, what: str, expected: str, found: str) -> DataError:
        return DataError(f"{self.path} {what}", expected=expected, found=found, hint=self.hint)
