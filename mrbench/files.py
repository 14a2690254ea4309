"""Files that are written whole or not at all."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place at the end, or is removed on an exception."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        with suppress(OSError):  # not every file system lets a folder be opened
            _flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    # To the disk itself, so that the new name never stands before the content after a power failure.
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file whole or not at all; NaN and infinity are errors."""
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, allow_nan=False)
