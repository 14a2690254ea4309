"""HDF5 files from strangers: each member is checked against the size of its own file before memory is taken."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zlib import decompressobj
from zlib import error as ZlibError  # noqa: N812

import h5py
import numpy as np

from mrbench.data.archive import FREE_BYTES, MAX_RATIO
from mrbench.errors import DataError

MAX_ARRAY_BYTES = 4 * 2**30 - 1
"""Bytes of one case's image or masks; HDF5 holds no larger chunk."""

MAX_TEXT_BYTES = 2**20
"""Bytes of one attribute."""

MAX_DEPTH = 8
"""Groups within groups."""

_DEFLATE, _SHUFFLE, _FLETCHER, _LZF = 1, 2, 3, 32000
_CHECKSUM_BYTES = 4
_KINDS = {"u": "unsigned", "i": "integers", "f": "floats", "S": "bytes", "b": "booleans"}


@dataclass(frozen=True)
class ArrayFacts:
    """What an array declares.

    Attributes:
        path: from the root, without a leading slash.
        shape: lengths of its axes.
        kind: NumPy's letter of its type.
    """

    path: str
    shape: tuple[int, ...]
    kind: str


class GuardedFile:
    """An HDF5 file opened for reading, whose links, types, shapes and sizes are checked on access.

    Only hard links are followed: soft and external links, virtual data sets and external storage may name other
    files. Close it, or use it in a ``with`` statement.

    Args:
        path: the file.
        hint: the next command, for messages.
        shown: the name for messages, where it is not ``path``.

    Raises:
        DataError: the file is absent or is not a whole HDF5 file.
    """

    def __init__(self, path: Path, *, hint: str, shown: Path | None = None) -> None:
        self.path, self.hint, self.shown = path, hint, shown or path
        if not path.is_file():
            raise self.fault("is not there", expected="a file", found=_kind_of(path))
        self.size = path.stat().st_size
        self._counted: set[str] = set()
        self._reserved = 0
        with self.reading("is not a whole HDF5 file"):
            self._file = h5py.File(path, "r")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; closing twice is harmless."""
        self._file.close()

    def fault(self, what: str, *, expected: str = "", found: str = "") -> DataError:
        """The error that names this file and the next command."""
        return DataError(f"{self.shown} {what}", expected=expected, found=found, hint=self.hint)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Turns what HDF5 raises on a damaged file into :class:`DataError`."""
        try:
            yield
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise self.fault(what, found=f"{type(error).__name__}: {error}") from error

    def attribute(self, name: str) -> Any:
        """A scalar text or integer of the root group, or None where there is none."""
        with self.reading(f"has a damaged attribute {name!r}"):
            if name not in self._file.attrs:
                return None
            identifier = self._file.attrs.get_id(name)
            # Texts of variable length live in a heap of their own, which HDF5 trusts.
            plain = identifier.shape == () and identifier.dtype.kind in "Sui"
            if not plain or identifier.get_storage_size() > MAX_TEXT_BYTES:
                raise self.fault(f"has a wrong attribute {name!r}", expected="one text of fixed length or integer")
            value = self._file.attrs[name]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def __contains__(self, path: str) -> bool:
        """Is there a member of that path? Links that are not hard count as there, and are refused on access."""
        if not path:
            return True  # the root
        with self.reading(f"has a damaged member /{path}"):
            parent, _, name = path.rpartition("/")
            if parent and parent not in self:
                return False
            node = self._node(parent)
            return isinstance(node, h5py.Group) and node.get(name, getlink=True) is not None

    def names(self, path: str, *, limit: int) -> list[str]:
        """Names of the members of a group, none where the group is absent; at most ``limit``."""
        if path not in self:
            return []
        with self.reading(f"has a damaged group /{path}"):
            group = self._node(path)
            if not isinstance(group, h5py.Group):
                raise self.fault(f"has a wrong member /{path}", expected="a group", found="an array")
            if len(group) > limit:
                raise self.fault(f"has too many members in /{path}", expected=f"<= {limit}", found=f"{len(group)}")
            return sorted(group)

    def is_group(self, name: str) -> bool:
        """Is that member of the root a group? Links that are not hard are none."""
        with self.reading(f"has a damaged member /{name}"):
            link = self._file.get(name, getlink=True)
            return isinstance(link, h5py.HardLink) and self._file.get(name, getclass=True) is h5py.Group

    def array(self, path: str, *, kinds: str, shape: tuple[int | None, ...], packed: bool = False) -> h5py.Dataset:
        """The checked array at ``path``; its memory is not taken yet.

        Args:
            path: from the root, without a leading slash.
            kinds: NumPy's letters of the types that it may have.
            shape: of it; None where any length will do.
            packed: it is stored in compressed chunks; otherwise as one block, whose declared size is its size.

        Raises:
            DataError: absent, not a plain array, of a wrong type or shape, or larger than its file can account for.
        """
        with self.reading(f"has a damaged member /{path}"):
            array: h5py.Dataset = self._node(path)
            self._check_kind(array, path, kinds)
            self._check_shape(array, path, shape)
            self._check_storage(array, path, packed)
            if path not in self._counted:
                self._reserve(array, path)
                self._counted.add(path)
        return array

    def read(self, path: str, *, kinds: str, shape: tuple[int | None, ...], packed: bool = False) -> np.ndarray:
        """The whole array at ``path``, checked as :meth:`array` does, in the machine's byte order."""
        array = self.array(path, kinds=kinds, shape=shape, packed=packed)
        with self.reading(f"has a damaged member /{path}"):
            own = array.chunks is not None and _LZF not in _filters(array)
            values = self._by_chunk(array) if own else np.asarray(array[...])
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def chunked(self, path: str, *, kinds: str, shape: tuple[int | None, ...], chunk: tuple[int, ...]) -> h5py.Dataset:
        """The checked array at ``path`` whose chunks are exactly ``chunk``, deflated or plain.

        Args:
            path, kinds, shape: as for :meth:`array`.
            chunk: the leading lengths of a chunk; the other axes are whole.
        """
        array = self.array(path, kinds=kinds, shape=shape, packed=True)
        expected = chunk + array.shape[len(chunk) :]
        if array.chunks != expected or 0 in array.shape or _filters(array) not in ([], [_DEFLATE]):
            raise self.fault(f"has wrong chunks in /{path}", expected=f"{expected} with gzip", found=f"{array.chunks}")
        if math.prod(expected) * array.dtype.itemsize > MAX_ARRAY_BYTES:
            raise self.fault(f"has too large a case in /{path}", expected=f"<= {MAX_ARRAY_BYTES} bytes")
        return array

    def arrays(self, *, limit: int) -> Iterator[ArrayFacts]:
        """Every array of the file by its path, in the order of names; what links lead to is passed over.

        Args:
            limit: members, at most.
        """
        left, seen = [""], 0
        while left:
            path = left.pop(0)
            with self.reading(f"has a damaged group /{path}"):
                group = self._node(path)
                seen += len(group)
                if seen > limit or path.count("/") > MAX_DEPTH:
                    raise self.fault("has too many members", expected=f"<= {limit}, in {MAX_DEPTH} groups at most")
                hard = [name for name in sorted(group) if isinstance(group.get(name, getlink=True), h5py.HardLink)]
                nodes = [(f"{path}/{name}".lstrip("/"), group[name]) for name in hard]
            left += [name for name, node in nodes if isinstance(node, h5py.Group)]
            for name, node in nodes:
                if isinstance(node, h5py.Dataset) and node.shape is not None:
                    yield ArrayFacts(name, tuple(node.shape), node.dtype.kind)

    def shape(self, path: str) -> tuple[int, ...]:
        """Lengths of the axes of the array at ``path``; nothing else of it is checked."""
        with self.reading(f"has a damaged member /{path}"):
            array = self._node(path)
            if not isinstance(array, h5py.Dataset) or array.shape is None:
                found = "one without values" if isinstance(array, h5py.Dataset) else "a group"
                raise self.fault(f"has a wrong member /{path}", expected="an array", found=found)
            return tuple(array.shape)

    def streamed(self, path: str, *, kinds: str, shape: tuple[int | None, ...]) -> h5py.Dataset:
        """The checked array at ``path``, however large, of which only parts will be read.

        It lies in one block, or in chunks that are plain or gzip (for :meth:`read_chunk`).

        Args:
            path, kinds, shape: as for :meth:`array`.
        """
        with self.reading(f"has a damaged member /{path}"):
            array = self._node(path)
            self._check_kind(array, path, kinds)
            self._check_shape(array, path, shape)
            self._check_storage(array, path, array.chunks is not None)
            if set(_filters(array)) - {_DEFLATE, _SHUFFLE}:
                raise self.fault(f"packs /{path} in an unknown way", expected="gzip or nothing")
        return array

    def read_chunk(self, array: h5py.Dataset, index: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
        """The chunk of ``array`` at ``index`` as ``shape``; never unpacks more than the chunk declares.

        HDF5's own inflation grows with whatever the stream holds; this one stops at the declared size.
        """
        size, filters = math.prod(shape) * array.dtype.itemsize, _filters(array)
        with self.reading(f"has a damaged chunk {index} in {array.name}"):
            # HDF5 looks a chunk up by its place, but goes through all of them to tell its size.
            room = np.empty(min(_most_packed(size), self.size), np.uint8)
            skipped, packed = array.id.read_direct_chunk(index, out=room)
            applied = [code for place, code in enumerate(filters) if not skipped >> place & 1]
            packed = packed[:-_CHECKSUM_BYTES] if _FLETCHER in applied else packed
            raw = _inflate(packed, size) if _DEFLATE in applied else bytes(packed)
            if len(raw) != size:
                raise self.fault(
                    f"has a damaged chunk {index} in {array.name}", expected=f"{size} bytes", found=f"{len(raw)} bytes"
                )
            raw = _unshuffled(raw, array.dtype.itemsize) if _SHUFFLE in applied else raw
        return np.frombuffer(raw, array.dtype).reshape(shape).astype(array.dtype.newbyteorder("="))

    def _by_chunk(self, array: h5py.Dataset) -> np.ndarray:
        """The whole array by :meth:`read_chunk`; chunks that were never written hold the fill value."""
        values = np.full(array.shape, array.fillvalue, array.dtype)
        places: list[tuple[int, ...]] = []
        array.id.chunk_iter(lambda chunk: places.append(chunk.chunk_offset))
        for place in places:
            target = values[tuple(slice(at, at + length) for at, length in zip(place, array.chunks, strict=True))]
            chunk = self.read_chunk(array, place, array.chunks)
            target[...] = chunk[tuple(map(slice, target.shape))]  # the last ones reach beyond the array
        return values

    def _node(self, path: str) -> Any:
        node: Any = self._file
        for name in [part for part in path.split("/") if part]:
            link = node.get(name, getlink=True) if isinstance(node, h5py.Group) else None
            if link is None:
                raise self.fault(f"has no member /{path}", expected=f"/{path}", found=", ".join(list(self._file)[:20]))
            if not isinstance(link, h5py.HardLink):
                raise self.fault(f"has a link at /{path}", expected="the array itself", found=type(link).__name__)
            node = node[name]
        return node

    def _check_kind(self, array: Any, path: str, kinds: str) -> None:
        expected = " or ".join(_KINDS[kind] for kind in kinds)
        if not isinstance(array, h5py.Dataset):
            raise self.fault(f"has a wrong member /{path}", expected=f"an array of {expected}", found="a group")
        if array.dtype.kind not in kinds or array.id.get_type() != h5py.h5t.py_create(array.dtype):
            raise self.fault(f"has a wrong type in /{path}", expected=expected, found=str(array.dtype))

    def _check_shape(self, array: h5py.Dataset, path: str, shape: tuple[int | None, ...]) -> None:
        found = array.shape
        agrees = found is not None and len(found) == len(shape)
        if not agrees or any(s not in (None, f) for f, s in zip(found, shape, strict=True)):
            wanted = tuple("any" if length is None else length for length in shape)
            raise self.fault(f"has a wrong shape in /{path}", expected=str(wanted), found=str(found))

    def _check_storage(self, array: h5py.Dataset, path: str, packed: bool) -> None:
        if array.is_virtual or array.external:
            raise self.fault(f"keeps /{path} in other files", expected="data within the file")
        if not packed and array.id.get_storage_size() != array.nbytes:
            raise self.fault(
                f"does not hold all of /{path}",
                expected=f"{array.nbytes} bytes in one block",
                found=f"{array.id.get_storage_size()} bytes",
            )
        known = [code for code in (_SHUFFLE, _DEFLATE, _LZF, _FLETCHER) if code in _filters(array)]
        if _filters(array) != known or (known and not packed):  # once each: packed twice, little becomes very much
            raise self.fault(f"packs /{path} in an unknown way", expected="gzip or nothing")
        if any(chunk > max(length, 1) for chunk, length in zip(array.chunks or (), array.shape, strict=False)):
            raise self.fault(f"has chunks larger than /{path}", expected=str(array.shape), found=str(array.chunks))

    def _reserve(self, array: h5py.Dataset, path: str) -> None:
        self._reserved += array.nbytes
        allowed = max(FREE_BYTES, MAX_RATIO * self.size)
        if self._reserved > allowed:
            raise self.fault(
                f"declares more than its size can hold, at /{path}",
                expected=f"at most {allowed} bytes from a file of {self.size} bytes",
                found=f"{self._reserved} bytes",
            )


def _kind_of(path: Path) -> str:
    return "a folder" if path.is_dir() else "nothing"


def _filters(array: h5py.Dataset) -> list[int]:
    properties = array.id.get_create_plist()
    return [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]


def _most_packed(size: int) -> int:
    # What cannot be compressed grows: by five bytes per 16 KiB and a few for the stream.
    return size + size // 1024 + 128


def _inflate(packed: memoryview, size: int) -> bytes:
    stream = decompressobj()
    try:
        raw = stream.decompress(packed, size)
        more = b"" if stream.eof else stream.decompress(stream.unconsumed_tail, 1)
    except ZlibError as error:
        raise ValueError(str(error)) from error
    if more or not stream.eof:
        raise ValueError(f"the stream does not end at {size} bytes")
    return raw


def _unshuffled(raw: bytes, itemsize: int) -> bytes:
    # The filter lays the first bytes of all elements first, then all second ones, and so on.
    return np.frombuffer(raw, np.uint8).reshape(itemsize, -1).T.tobytes()
