"""Faults of writing, however a library disguises them: a disk that is full, read-only or broken."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mrbench.errors import MrbenchError

NUMBERS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
"""What the system says where a file cannot be written."""

_HDF5 = re.compile(r"\berrno = (\d+)\b")

_TORCH = ("PytorchStreamWriter failed", "unexpected pos", "basic_ios::clear: iostream error")
"""What torch's writer says in place of it; it never says why."""

_KIBIBYTE = 1024


class WritingError(MrbenchError):
    """A file could not be written; names the folder and the room that is left."""


def number_of(error: BaseException) -> int | None:
    """The system's number of the fault of writing that an exception is, or comes from; None: of none.

    Where torch hides the number it is that of a full disk, by far the likeliest.
    """
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in NUMBERS:
            return one.errno
        said = _HDF5.search(str(one)) if isinstance(one, OSError | RuntimeError) else None
        if said and int(said[1]) in NUMBERS:
            return int(said[1])
        if isinstance(one, RuntimeError) and any(words in str(one) for words in _TORCH):
            return errno.ENOSPC
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__context__, one.__cause__]


def writing_error(error: BaseException, folder: Path | None = None) -> WritingError | None:
    """The fault of writing that an exception is, or comes from, in words; None: of none.

    Args:
        folder: where it was written, unless the exception names a file elsewhere; None: where that file lies.
    """
    number = number_of(error)
    if number is None or isinstance(error, WritingError):
        return error if isinstance(error, WritingError) else None
    named = next(filter(None, map(_folder_of, _chain(error))), folder or Path())
    where = _nearest(folder if folder is not None and named.is_relative_to(folder.absolute()) else named)
    return WritingError(
        f"cannot write in {where}: {os.strerror(number)}",
        found=f"{bytes_text(shutil.disk_usage(where).free)} free",
        hint="make room and run the same command again: what is finished stays, and a training continues",
    )


def _folder_of(error: BaseException) -> Path | None:
    named = error.filename if isinstance(error, OSError) else None
    return Path(os.fsdecode(named)).absolute().parent if isinstance(named, str | bytes) else None


def _nearest(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())


@contextmanager
def told_in(folder: Path) -> Iterator[None]:
    """Turns faults of writing into :class:`WritingError`; ``folder``: where is written.

    Raises:
        WritingError: in place of them.
    """
    try:
        yield
    except Exception as error:
        found = writing_error(error, folder)
        if found is None:
            raise
        raise found from error


def bytes_text(size: int) -> str:
    """A size in the largest unit of which there is one: ``612 KiB``."""
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < _KIBIBYTE:
            break
        value, unit = value / _KIBIBYTE, larger
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
