"""Files that are written whole or not at all."""

import json
import math
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mrbench.errors import UsageError
from mrbench.visible import visible

MAX_JSON_BYTES = 2**25
"""Of a file that may come from others."""


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place at the end, or is removed on an exception."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        flush(temporary)
        temporary.replace(path)
        with suppress(OSError):  # not every file system lets a folder be opened
            flush(path.parent)
    except OSError as error:
        error.strerror = error.strerror or str(error)  # HDF5's has no number, and would lose its words for the name
        error.filename = error.filename or str(path)  # a full disk says of no file that it is the one
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def made_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place at the end, or is removed on an exception.

    Raises:
        UsageError: there is something at ``path`` already.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} is there already", hint="name another folder, or remove it first")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def filled_folder(path: Path, *, force: bool = False) -> Iterator[Path]:
    """A temporary folder beside ``path`` whose entries go into it at the end, or that is removed on an exception.

    Args:
        force: fill a folder that holds something: entries of equal names are replaced, the others stay.

    Raises:
        UsageError: there is something in it, and no force; or it is no folder.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise UsageError(f"{path} is no folder", hint="name another one")
    if not force and path.is_dir() and any(path.iterdir()):
        raise UsageError(f"{path} is not empty", hint="name another folder, or --force replaces files of equal names")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.absolute().with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        path.mkdir(exist_ok=True)
        for entry in sorted(temporary.iterdir()):
            _take_place(entry, path / entry.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_place(new: Path, old: Path) -> None:
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old)
    new.replace(old)


def flush(path: Path) -> None:
    """Brings a file's content to the disk itself, so that no new name stands before it after a power failure."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file whole or not at all; NaN and infinity are errors."""
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, allow_nan=False)


def read_json(path: Path) -> Any:
    """The content of a JSON file that may come from others; hidden characters in its texts are spelt out.

    Errors: :func:`load_json`.
    """
    with bounded_depth():
        return shown(load_json(path))


def load_json(path: Path) -> Any:
    """The content of a JSON file that may come from others, as it stands there.

    Raises:
        OSError: it cannot be read.
        ValueError: no plain file, not JSON, larger or deeper than such a file can be, or a number that is not finite.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("no plain file")
    with path.open("rb") as file:
        return parse_json(file.read(MAX_JSON_BYTES + 1))


def parse_json(content: bytes) -> Any:
    """JSON content that may come from others; errors, but for those of a file: :func:`load_json`."""
    if len(content) > MAX_JSON_BYTES:
        raise ValueError(f"more than {MAX_JSON_BYTES} bytes")
    with bounded_depth():
        return json.loads(content.decode("utf-8"), parse_float=_finite, parse_constant=_finite)


@contextmanager
def bounded_depth() -> Iterator[None]:
    """Turns what is nested deeper than can be worked on into a ValueError."""
    try:
        yield
    except RecursionError:
        raise ValueError("nested too deep") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no finite number")
    return number


def shown(value: Any) -> Any:
    """JSON content with the hidden characters of its texts spelt out."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [shown(one) for one in value]
    return {visible(name): shown(one) for name, one in value.items()} if isinstance(value, dict) else value
