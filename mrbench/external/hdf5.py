"""Predictions in an HDF5 file, read chunk by chunk: however large the arrays, memory holds a few chunks."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.data.archive import FREE_BYTES
from mrbench.data.container import MAX_CASES
from mrbench.data.hdf5 import GuardedFile
from mrbench.external.arrays import DOCUMENT, FIELDS, as_texts

KEPT_BYTES = FREE_BYTES
"""Unpacked chunks that are kept for the next draw."""

MAX_SPREAD = 32
"""Bytes of chunks that hold a draw, per byte of the draw, beyond what is kept anyway."""


class Hdf5Arrays:
    """The arrays of a file. Nothing but plain arrays in this file is read.

    Raises:
        DataError: not a whole HDF5 file.
    """

    def __init__(self, path: Path) -> None:
        texts = "names are bytes of fixed length: numpy.array(names, dtype='S')"
        self.path, self.file = path, GuardedFile(path, hint=f"{DOCUMENT}; {texts}")
        self._arrays: dict[str, ChunkedArray] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.file

    def cases(self, known: Sequence[str]) -> Sequence[str]:
        """The known cases that are there, and groups that none of them begins with."""
        found = [case for case in known if any(f"{case}/{field}" in self.file for field in FIELDS)]
        heads = {case.partition("/")[0] for case in known}
        others = (name for name in self.file.names("", limit=MAX_CASES) if name not in heads)
        return found + [name for name in others if self.file.is_group(name)]

    def array(self, name: str) -> "ChunkedArray":
        """The array of that name; its memory is not taken yet."""
        if name not in self._arrays:
            if len(self._arrays) >= len(FIELDS):  # one case at a time
                self._arrays.clear()
            array = self.file.streamed(name, kinds="biuf", shape=self.file.shape(name))
            self._arrays[name] = ChunkedArray(self.file, array, name)
        return self._arrays[name]

    def texts(self, name: str) -> list[str]:
        """Bytes of fixed length, or integers."""
        return as_texts(self.file.read(name, kinds="Siu", shape=(None,), packed=True))

    def close(self) -> None:
        """Closes the file."""
        self._arrays.clear()
        self.file.close()


class ChunkedArray:
    """An array of which single parts are read."""

    def __init__(self, file: GuardedFile, array: Any, name: str) -> None:
        self.file, self.name, self._array = file, name, array
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.kind: str = array.dtype.kind
        self._kept: OrderedDict[tuple[int, ...], np.ndarray] = OrderedDict()

    def item(self, index: tuple[int, ...]) -> np.ndarray:
        """The part at an index over the leading axes, in the machine's byte order."""
        if self._array.chunks is None:
            with self.file.reading(f"has a damaged member /{self.name}"):
                values = np.asarray(self._array[index])
            return values.astype(values.dtype.newbyteorder("="), copy=False)
        self._check_spread(index)
        return self._assembled(index)

    def _check_spread(self, index: tuple[int, ...]) -> None:
        chunk, shape = self._array.chunks, self.shape[len(index) :]
        rest = zip(shape, chunk[len(index) :], strict=True)
        bytes_read = prod([-(-length // size) for length, size in rest]) * prod(chunk) * self._array.dtype.itemsize
        allowed = max(KEPT_BYTES, MAX_SPREAD * prod(shape) * self._array.dtype.itemsize)
        if bytes_read > allowed:
            raise self.file.fault(
                f"spreads each prediction of /{self.name} over too many chunks",
                expected=f"at most {allowed} bytes of chunks; chunks of one prediction: {(*(1,) * len(index), *shape)}",
                found=f"{bytes_read} bytes, chunks of {chunk}",
            )

    def _assembled(self, index: tuple[int, ...]) -> np.ndarray:
        chunk, shape = self._array.chunks, self.shape[len(index) :]
        lead = [place // size * size for place, size in zip(index, chunk, strict=False)]
        inner = tuple(place % size for place, size in zip(index, chunk, strict=False))
        sizes = chunk[len(index) :]
        values = np.empty(shape, self._array.dtype.newbyteorder("="))
        for start in product(*(range(0, length, size) for length, size in zip(shape, sizes, strict=True))):
            part = self._chunk((*lead, *start))[inner]
            place = tuple(slice(a, min(a + size, n)) for a, size, n in zip(start, sizes, shape, strict=True))
            values[place] = part[tuple(slice(0, at.stop - at.start) for at in place)]
        return values

    def _chunk(self, start: tuple[int, ...]) -> np.ndarray:
        if start not in self._kept:
            self._kept[start] = self.file.read_chunk(self._array, start, self._array.chunks)
            while len(self._kept) > 1 and sum(part.nbytes for part in self._kept.values()) > KEPT_BYTES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(start)
        return self._kept[start]
