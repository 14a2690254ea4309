"""An HDF5 file of somebody's own layout as if it were a folder: each array, or each case of a stacked one, is a file.

Where the same names recur in several groups, a group is a case (``c1/image``, ``c1/ann``); else arrays are stacks of
cases along their first axis (``images``, ``masks``), whose cases are numbered from 0.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mrbench.data.archive import FREE_BYTES
from mrbench.data.container import FORMAT
from mrbench.data.hdf5 import ArrayFacts, GuardedFile
from mrbench.data.image_file import ImageFile
from mrbench.data.importing.assign import PARTS_OF_COLLECTIONS
from mrbench.data.importing.listing import Listing, natural
from mrbench.data.mask_values import StoredMask
from mrbench.errors import DataError, UsageError

ENDINGS = (".h5", ".hdf5")

SUBJECTS = ("subject", "subjects", "subject_id", "patient", "patients", "patient_id", "patient_ids", "pid")
"""Names of arrays (N,) that say whose a case is."""

MAX_ARRAYS = 100_000
MAX_CASES = 1_000_000

CASE_GROUPS = 2
"""Groups in which a name has to recur for groups to be cases."""

HINT = "mrbench data import FOLDER takes a folder with a file per image and mask"


@dataclass(frozen=True)
class Members(Listing):
    """The arrays of an HDF5 file; ``folder`` is the file.

    Attributes:
        places: array, and row of a stack, of each name.
        file: open while the listing is.
    """

    places: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    file: GuardedFile | None = field(default=None, compare=False, repr=False)
    _whole: dict[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    @contextmanager
    def open(self, name: str, *, allowed: int = FREE_BYTES) -> Iterator[ImageFile]:  # noqa: ARG002
        """One array or one case of a stack; what it may take is checked against the file."""
        path, row = self.places[name]
        array = self._array(path)
        shape = array.shape if row is None else array.shape[1:]

        def values() -> np.ndarray:
            with self._guarded.reading(f"has a damaged member /{path}"):
                found = np.asarray(array[...] if row is None else array[row])
            return found.astype(found.dtype.newbyteorder("="), order="C", copy=False)

        where = str(self.folder / name)
        if 0 in shape:
            raise DataError(f"{where} is empty", expected="at least one pixel", found=f"axes {shape}")
        yield ImageFile(shape, array.dtype, values, lambda: StoredMask(values()), where)

    @property
    def _guarded(self) -> GuardedFile:
        if self.file is None:
            raise ValueError("a listing without a file")
        return self.file

    def _array(self, path: str) -> np.ndarray:
        """Of a block the rows that are asked for; what is packed is unpacked once, as far as the file allows."""
        if path not in self._whole:
            shape = (None,) * len(self._guarded.shape(path))
            array = self._guarded.array(path, kinds="buif", shape=shape, packed=True)
            packed = array.chunks is not None
            self._whole[path] = self._guarded.read(path, kinds="buif", shape=shape, packed=True) if packed else array
        return self._whole[path]


def list_members(path: Path) -> Listing:
    """The images and masks in a file.

    Raises:
        UsageError: it is a container of mrbench already.
        DataError: no HDF5 file, damaged, or it holds no array that could be an image.
    """
    file = GuardedFile(path, hint=HINT)
    _check_foreign(file, path)
    arrays = list(file.arrays(limit=MAX_ARRAYS))
    pictures = [one for one in arrays if one.kind in "buif" and len(one.shape) > 1]
    places = dict(_per_case(pictures) if _groups_are_cases(pictures) else _per_row(file, pictures, arrays))
    if not places:
        raise DataError(
            f"{path} holds no images",
            expected="arrays (N, H, W) of images and masks, or a group for each case",
            found=", ".join(f"/{one.path} {one.shape}" for one in arrays[:5]) or "no array",
            hint=HINT,
        )
    used = {array for array, _ in places.values()}
    others = tuple(one.path for one in arrays if one.path not in used)
    return Members(path, tuple(sorted(places, key=natural)), others, places, file)


def _check_foreign(file: GuardedFile, path: Path) -> None:
    if file.attribute("format") != FORMAT:
        return
    name = str(file.attribute("name"))
    lies = path.name == f"{name}.h5"
    raise UsageError(
        f"{path} is a container of mrbench already: the data set {name!r}",
        expected="images and masks that are to become one",
        hint=f"mrbench data verify {name} --data {path.resolve().parent}"
        if lies
        else f"put it into the data folder as {name}.h5, then: mrbench data verify {name}",
    )


def _groups_are_cases(pictures: Sequence[ArrayFacts]) -> bool:
    """Do names recur in groups that are no parts of a collection?"""
    groups: dict[str, set[str]] = {}
    for one in pictures:
        group, _, name = one.path.rpartition("/")
        if group and group.rpartition("/")[2].lower() not in PARTS_OF_COLLECTIONS:
            groups.setdefault(name, set()).add(group)
    return any(len(found) >= CASE_GROUPS for found in groups.values())


def _per_case(pictures: Sequence[ArrayFacts]) -> Iterator[tuple[str, tuple[str, int | None]]]:
    return ((one.path, (one.path, None)) for one in pictures)


def _per_row(
    file: GuardedFile, pictures: Sequence[ArrayFacts], arrays: Sequence[ArrayFacts]
) -> Iterator[tuple[str, tuple[str, int | None]]]:
    stacks = [one for one in pictures if len(one.shape) > 2]
    rows = Counter((_part(one), one.shape[0]) for one in stacks)
    for one in stacks:
        if rows[_part(one), one.shape[0]] < 2 or one.shape[0] > MAX_CASES:
            continue  # an image stack without masks, or masks without images
        whose = _subjects(file, arrays, _part(one), one.shape[0])
        for row in range(one.shape[0]):
            yield f"{one.path}/{whose[row]}/{row}" if whose else f"{one.path}/{row}", (one.path, row)


def _part(one: ArrayFacts) -> str:
    """The part of a collection that an array is of; empty where there are no parts."""
    return next((folder for folder in one.path.split("/")[:-1] if folder.lower() in PARTS_OF_COLLECTIONS), "")


def _subjects(file: GuardedFile, arrays: Sequence[ArrayFacts], part: str, n: int) -> list[str]:
    for one in arrays:
        name = one.path.rpartition("/")[2]
        if _part(one) == part and name.lower() in SUBJECTS and one.shape == (n,) and one.kind in "Sui":
            values = file.read(one.path, kinds="Sui", shape=(n,), packed=True).tolist()
            texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]
            return [text.replace("/", "-") or "-" for text in texts]
    return []
