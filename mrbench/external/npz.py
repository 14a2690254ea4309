"""Predictions in a NumPy archive, read front to back: however large the members, memory holds one prediction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812

import numpy as np

from mrbench.data.archive import Field, read_archive, read_header
from mrbench.errors import DataError
from mrbench.external.arrays import DOCUMENT, FIELDS, as_texts

SUFFIX = ".npy"


class NpzArrays:
    """The members of an archive; none is unpickled.

    Raises:
        DataError: not a whole archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reading("is not a whole NumPy archive"):
            self.archive = ZipFile(path)
            infos = self.archive.infolist()
        arrays = [info for info in infos if info.filename.endswith(SUFFIX)]
        self.members = {info.filename.removesuffix(SUFFIX): info for info in arrays}
        if len(self.members) < len(arrays):
            self.archive.close()
            raise self.fault("holds two members of one name", expected="one array of each name")
        self._arrays: dict[str, MemberArray] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def cases(self, known: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        """Names before the last slash of members of predictions."""
        parts = (name.rpartition("/") for name in self.members)
        return list(dict.fromkeys(case for case, slash, field in parts if slash and field in FIELDS))

    def array(self, name: str) -> "MemberArray":
        """The member of that name; its memory is not taken yet."""
        if name not in self._arrays:
            if len(self._arrays) >= len(FIELDS):  # one case at a time
                self._forget()
            with self._reading(f"has a damaged member {name!r}"):
                self._arrays[name] = MemberArray(self, self.members[name], name)
        return self._arrays[name]

    def texts(self, name: str) -> list[str]:
        """Texts or integers of one axis."""
        values = read_archive(self.path, {name: Field("SUiu", ("N",))}, hint=DOCUMENT)[name]
        with self._reading(f"has damaged texts in {name!r}"):
            return as_texts(values)

    def close(self) -> None:
        """Closes the archive."""
        self._forget()
        self.archive.close()

    def _forget(self) -> None:
        for array in self._arrays.values():
            array.stream.close()
        self._arrays.clear()

    def fault(self, what: str, *, expected: str = "", found: str = "") -> DataError:
        """The error that names the archive."""
        return DataError(f"{self.path} {what}", expected=expected, found=found, hint=DOCUMENT)

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except (BadZipFile, ZlibError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
            raise self.fault(what, found=f"{error}"[:200]) from error

    def read(self, stream: IO[bytes], start: int, size: int, name: str) -> bytes:
        """``size`` bytes of a member from ``start`` on. A step back begins the member anew."""
        with self._reading(f"has a damaged member {name!r}"):
            stream.seek(start)
            raw = stream.read(size)
        if len(raw) < size:
            raise self.fault(f"has a damaged member {name!r}", expected=f"{size} bytes", found=f"{len(raw)} bytes")
        return raw


class MemberArray:
    """A member of which single parts are read."""

    def __init__(self, owner: NpzArrays, info: ZipInfo, name: str) -> None:
        self.owner, self.name = owner, name
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise owner.fault(f"packs {name!r} in an unknown way", expected="numpy.savez or numpy.savez_compressed")
        self.shape: tuple[int, ...]
        self.stream = owner.archive.open(info)
        try:
            self.shape, column_major, self._dtype = read_header(self.stream)
            self._begin = self.stream.tell()
            self.kind: str = self._dtype.kind
            self._check(info, column_major and len(self.shape) > 1)
        except BaseException:
            self.stream.close()
            raise

    def _check(self, info: ZipInfo, column_major: bool) -> None:
        if self.kind not in "biuf":
            raise self.owner.fault(
                f"has a wrong type in {self.name!r}", expected="integers or floats", found=str(self._dtype)
            )
        if column_major:
            raise self.owner.fault(
                f"has {self.name!r} in column order", expected="numpy.ascontiguousarray(...) before saving"
            )
        if self._begin + prod(self.shape) * self._dtype.itemsize > info.file_size:
            raise self.owner.fault(f"declares more than it holds in {self.name!r}", found=f"shape {self.shape}")

    def item(self, index: tuple[int, ...]) -> np.ndarray:
        """The part at an index over the leading axes, in the machine's byte order."""
        shape = self.shape[len(index) :]
        size = prod(shape) * self._dtype.itemsize
        place = int(np.ravel_multi_index(index, self.shape[: len(index)])) if index else 0
        raw = self.owner.read(self.stream, self._begin + place * size, size, self.name)
        return np.frombuffer(raw, self._dtype).reshape(shape).astype(self._dtype.newbyteorder("="))
