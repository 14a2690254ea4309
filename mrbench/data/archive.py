"""Archives from strangers: what they unpack to is bounded; NumPy's (.npz) hold no pickles, every member is checked."""

import io
import math
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812

import numpy as np
from numpy.lib import format as npy

from mrbench.errors import DataError

MAX_RATIO = 200
"""Bytes that what is in a file may unpack to, all together, per byte of the file."""

FREE_BYTES = 64 * 2**20
"""Bytes that it may unpack to whatever its own size: small files of constant images compress well."""

HEADERS = {(1, 0): (2, npy.read_array_header_1_0), (2, 0): (4, npy.read_array_header_2_0)}
"""For each version, the bytes that a header's length takes, and what reads both."""

MAX_HEADER_BYTES = 10_000
"""Of the header of an array; NumPy's own limit."""


@dataclass(frozen=True)
class Field:
    """What a member must be.

    Attributes:
        kinds: NumPy's letters of the types that it may have.
        shape: a length, or a letter that stands for the same length in every field.
        itemsize: bytes per element, or None where any will do.
    """

    kinds: str
    shape: tuple[int | str, ...]
    itemsize: int | None = None


class Bounded(io.RawIOBase):
    """A stream of what a file unpacks to, with a limit, so that a small file cannot fill memory or disk.

    Args:
        packed: gives the unpacked bytes.
        allowed: bytes that may come; one more raises ``ValueError`` while it is read.
    """

    def __init__(self, packed: IO[bytes] | io.BufferedIOBase, allowed: int) -> None:
        self.packed, self.allowed, self.left = packed, allowed, allowed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self.packed.read(min(len(buffer), self.left + 1))
        if len(found) > self.left:
            raise ValueError(f"unpacks to more than {self.allowed} bytes, which is more than its size can hold")
        self.left -= len(found)
        buffer[: len(found)] = found
        return len(found)


def read_archive(
    path: Path, fields: Mapping[str, Field], *, hint: str, free_bytes: int = FREE_BYTES
) -> dict[str, np.ndarray]:
    """The named members of an archive; others are left alone.

    Args:
        path: the archive.
        fields: what is expected, by name.
        hint: the next command, for messages.
        free_bytes: that it may unpack to whatever its own size.

    Raises:
        DataError: not a whole archive, a member that is absent, pickled, of another type or shape, or larger than the
            archive can account for.
    """
    lengths: dict[str, int] = {}
    try:
        with ZipFile(path) as archive:
            _check_sizes(archive, path, fields, hint, free_bytes)
            return {name: _read(archive, path, name, field, lengths, hint) for name, field in fields.items()}
    except (BadZipFile, ZlibError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} is not a whole NumPy archive", found=f"{error}"[:200], hint=hint) from error


def _check_sizes(archive: ZipFile, path: Path, fields: Mapping[str, Field], hint: str, free_bytes: int) -> None:
    absent = [name for name in fields if f"{name}.npy" not in archive.namelist()]
    if absent:
        found = ", ".join(archive.namelist()[:20])
        raise DataError(f"{path} lacks fields", expected=", ".join(absent), found=found, hint=hint)
    size = path.stat().st_size
    declared = sum(archive.getinfo(f"{name}.npy").file_size for name in fields)
    allowed = max(free_bytes, MAX_RATIO * size)
    if declared > allowed:
        raise DataError(
            f"{path} unpacks to more than its size can hold",
            expected=f"at most {allowed} bytes from a file of {size} bytes",
            found=f"{declared} bytes",
            hint=hint,
        )


def _read(archive: ZipFile, path: Path, name: str, field: Field, lengths: dict[str, int], hint: str) -> np.ndarray:
    info = archive.getinfo(f"{name}.npy")
    with open_member(archive, info) as stream:
        shape, column_major, dtype = read_header(stream)
        _check_type(path, name, field, dtype, hint)
        _check_shape(path, name, field, shape, lengths, hint)
        _check_length(path, name, info, shape, dtype, hint)
        # Asked for all, the stream unpacks what it holds before it cuts that to what it declares.
        raw = stream.read(math.prod(shape) * dtype.itemsize + 1)
    # A member of another size gives fewer or more bytes, which `reshape` refuses with a ValueError.
    values = np.frombuffer(raw, dtype).reshape(shape, order="F" if column_major else "C")
    values = values.astype(dtype.newbyteorder("="), order="C")
    _check_text(name, values)
    return values


def open_member(archive: ZipFile, info: ZipInfo) -> IO[bytes]:
    """A member's content; what is read of it is all that it unpacks to.

    Raises:
        ValueError: packed in a way that neither NumPy nor this program uses: others unpack without a limit.
    """
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ValueError(f"{info.filename} is packed in way {info.compress_type} of zip, not deflated")
    return archive.open(info)


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the first axis runs fastest, and type of a member; the stream is at its values afterwards.

    Raises:
        ValueError: not the header of an array.
    """
    version = npy.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"unknown .npy version {version}")
    width, read = HEADERS[version]
    length = stream.read(width)
    size = int.from_bytes(length, "little")
    if size > MAX_HEADER_BYTES:  # NumPy reads it all before it looks at the length
        raise ValueError(f"a header of {size} bytes")
    try:
        with warnings.catch_warnings(action="ignore"):  # that Python 2 wrote it
            shape, column_major, dtype = read(io.BytesIO(length + stream.read(size)))
    except Exception as error:  # of its tokenizer and its parser too, such as a stack that ran over
        raise ValueError(f"no header of an array: {type(error).__name__}: {error}") from error
    if any(type(axis) is not int or axis < 0 for axis in shape):
        raise ValueError(f"the shape {shape}")
    return shape, column_major, dtype


def _check_type(path: Path, name: str, field: Field, dtype: np.dtype, hint: str) -> None:
    fits = dtype.kind in field.kinds and dtype.itemsize == (field.itemsize or dtype.itemsize)
    if not fits or (dtype.kind == "f" and dtype.itemsize > 8):  # longer ones become no number of Python
        raise DataError(
            f"field {name!r} of {path} has a wrong type",
            expected=" or ".join(field.kinds) + (f" of {field.itemsize} bytes" if field.itemsize else ""),
            found=str(dtype),
            hint=hint,
        )


def _check_shape(
    path: Path, name: str, field: Field, shape: tuple[int, ...], lengths: dict[str, int], hint: str
) -> None:
    agrees = len(shape) == len(field.shape)
    for length, expected in zip(shape, field.shape, strict=False):
        agrees &= length == (lengths.setdefault(expected, length) if isinstance(expected, str) else expected)
    if not agrees:
        wanted = tuple(lengths.get(s, s) if isinstance(s, str) else s for s in field.shape)
        raise DataError(
            f"field {name!r} of {path} has a wrong shape", expected=str(wanted), found=str(shape), hint=hint
        )


def _check_text(name: str, values: np.ndarray) -> None:
    # Python cannot hold these, nor write halves of surrogate pairs.
    letters = values.reshape(-1).view(np.uint32) if values.dtype.kind == "U" else np.empty(0, np.uint32)
    if ((letters > sys.maxunicode) | (letters >= 0xD800) & (letters < 0xE000)).any():
        raise ValueError(f"field {name!r} holds a character beyond Unicode")


def _check_length(path: Path, name: str, info: ZipInfo, shape: tuple[int, ...], dtype: np.dtype, hint: str) -> None:
    declared = int(np.prod([dtype.itemsize, *shape], dtype=object))
    if declared > info.file_size:
        raise DataError(
            f"field {name!r} of {path} declares more than it holds",
            expected=f"at most {info.file_size} bytes",
            found=f"{declared} bytes",
            hint=hint,
        )
