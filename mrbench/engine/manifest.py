"""What vouches for stored files: a record names the size and SHA-256 of each file beside it, and has a seal of its own.

A seal is the digest of a JSON document without the seal. What differs is told of; it is never another number.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mrbench.digests import digest_json
from mrbench.engine.cell import REPAIR
from mrbench.errors import DataError
from mrbench.files import bounded_depth, load_json, shown, write_json

SEAL = "sha256"
"""The field of a document that vouches for all others."""

FILES = "files"
"""The field of a record that vouches for the files beside it, by their path below its folder."""

UNVOUCHED = ("log.txt", "lease.json", "checkpoint")
"""What lies in a folder and is no part of a result."""

SHOWN = 12
"""Hex digits of a digest in messages."""


def facts_of(path: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def files_of(folder: Path, document: str) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file below a folder, but for the document that will name them."""
    return {name: facts_of(folder / name) for name in sorted(_names(folder)) if name != document}


def _names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)  # what a process that was killed had begun to write
        if path.is_file() and parts[0] not in UNVOUCHED and not hidden:
            yield "/".join(parts)


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a JSON document with its seal, whole or not at all; NaN and infinity are errors."""
    plain = json.loads(json.dumps({**content, SEAL: None}, allow_nan=False))  # as it will be read
    del plain[SEAL]
    write_json(path, plain | {SEAL: digest_json(plain)})


def read_sealed(path: Path) -> tuple[Any, str]:
    """A JSON document, and in a line what is wrong with its seal; empty where nothing is.

    Another version's document may be sealed in another way, so that who reads it looks at its version first.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    with bounded_depth():
        content = load_json(path)
        return shown(content), _broken(content)


def _broken(content: Any) -> str:
    if not isinstance(content, dict) or SEAL not in content:
        return "no digest of its content"
    rest = {name: value for name, value in content.items() if name != SEAL}
    return "" if digest_json(rest) == content[SEAL] else "its content is not what was written"


def check_file(folder: Path, document: Mapping[str, Any], name: str) -> Path:
    """The path of a file in a folder, once its bytes are those that the folder's document names.

    Raises:
        DataError: it is not there, or another one; names it.
    """
    path, expected = folder / name, document.get(FILES, {}).get(name)
    if expected is None:
        raise DataError(f"nothing vouches for {path}", expected="its digest in the record", hint=REPAIR)
    if not path.is_file():
        raise DataError(f"{path} is not there", hint=REPAIR)
    try:
        found = facts_of(path)
    except OSError as error:
        raise DataError(f"cannot read {path}", found=str(error.strerror or error), hint=REPAIR) from error
    if found != expected:
        raise DataError(
            f"{path} is not the file that was written",
            expected=_in_words(expected),
            found=_in_words(found),
            hint=REPAIR,
        )
    return path


def check_files(folder: Path, document: Mapping[str, Any], below: str = "") -> None:
    """Checks every file that a folder's document names, or those whose path begins with ``below``.

    Raises:
        DataError: one is not there, or another one; names the first.
    """
    for name in document.get(FILES, {}):
        if name.startswith(below):
            check_file(folder, document, name)


def _in_words(facts: Mapping[str, Any]) -> str:
    return f"{facts['bytes']} bytes, {facts['sha256'][:SHOWN]}"
