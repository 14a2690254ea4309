"""Entries as they lie on disk: ``records/<dataset>/<method>/<id>/`` with ``entry.json`` and the files that it names.

The id of an entry is the beginning of the SHA-256 of its ``entry.json``, which has those of its other files: no byte
changes unseen. Nothing is read through a link, and no file before its size is known to be bounded.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mrbench.engine.cell import SHORT
from mrbench.errors import DataError, IncompatibleError, MrbenchError
from mrbench.leaderboard.entry import MAX_BYTES, Entry, FileFacts, parse_entry
from mrbench.visible import visible

RECORDS = "records"
ENTRY = "entry.json"
ID = re.compile(rf"[0-9a-f]{{{SHORT}}}")
MAX_ENTRIES = 100_000


@dataclass(frozen=True)
class Stored:
    """An entry with its folder; its own files are not read yet.

    Attributes:
        id: 16 hex digits.
        caveats: what its own files say of it, once it is verified.
        failed: places of the cells whose training learned nothing, once it is verified.
    """

    id: str
    folder: Path
    entry: Entry
    caveats: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """Its folder below ``records``."""
        return "/".join(self.folder.parts[-3:])

    def read(self, name: str) -> bytes:
        """The bytes of one of its files, which are those that the entry was packed with.

        Raises:
            DataError: the file is not there, no plain file, or not the one that the entry names.
        """
        facts = self.entry.files[name]
        try:
            content = read_plain(self.folder / name, facts.bytes)
        except OSError as error:
            raise DataError(f"{name}: cannot be read", found=str(error.strerror or error)) from None
        if facts_of(content) != facts:
            found = f"{len(content)} bytes, {facts_of(content).sha256[:SHORT]}"
            raise DataError(
                f"{name}: is not the file that was packed",
                expected=f"{facts.bytes} bytes, {facts.sha256[:SHORT]}",
                found=found,
            )
        return content


class Why(StrEnum):
    """Why an entry is listed apart."""

    INVALID = "does not verify"
    """It is no entry, or says what its own cases do not bear out."""
    DATA = "of data that are not registered"
    """Its data set, split or test cases are others than those that the board is about."""
    UNPROVEN = "cannot be proven"
    """Its numbers are what the raters' own masks would give."""
    VERSION = "of another version"
    """Another format, or another version of the method, the metric or the scoring protocol."""


@dataclass(frozen=True)
class SetAside:
    """A folder, or some scores of one, that is listed apart: none of its numbers is shown or ranked.

    Attributes:
        path: below ``records``.
        fault: what is wrong, in a line; both may come from strangers: escape them.
        why: in a word.
    """

    path: str
    fault: str
    why: Why = Why.INVALID


def age(stored: Stored) -> tuple[str, str]:
    """Orders entries from the oldest to the newest."""
    return stored.entry.written, stored.id


def turn(stored: Stored) -> tuple[bool, str, str]:
    """Orders entries for verifying: human references, which others may repeat, then from the oldest to the newest."""
    return not stored.entry.human, *age(stored)


def facts_of(content: bytes) -> FileFacts:
    """Size and digest."""
    return FileFacts(len(content), hashlib.sha256(content).hexdigest())


def id_of(content: bytes) -> str:
    """The id of the entry whose ``entry.json`` has these bytes."""
    return hashlib.sha256(content).hexdigest()[:SHORT]


def folder_of(board: Path, entry: Entry, id: str) -> Path:
    """Where an entry lies."""
    return board / RECORDS / safe(entry.spec.domain) / safe(entry.method) / id


def board_of(folder: Path) -> Path:
    """The board that an entry's folder is of."""
    return folder.parents[3]


def safe(key: str) -> str:
    """A registry key as the name of a folder."""
    return key.replace(":", "--")


def read_plain(path: Path, limit: int) -> bytes:
    """The bytes of a plain file of at most ``limit`` bytes; no link is followed at its end.

    Raises:
        OSError: it is not there, or a link.
        DataError: no plain file, or larger.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{path.name}: is no plain file")
        if found.st_size > limit:
            raise DataError(f"{path.name}: is too large", expected=f"at most {limit} bytes", found=str(found.st_size))
        return file.read(limit)


def entries(board: Path, *within: str) -> Iterator[Stored | SetAside]:
    """Every folder below ``records``, in the order of names; what is no valid entry is set aside.

    Args:
        within: names of folders, data set and method, to look into those alone.

    Raises:
        DataError: more folders than a board can have.
    """
    for number, folder in enumerate(_folders(board / RECORDS, within)):
        if number >= MAX_ENTRIES:
            raise DataError(f"{board / RECORDS} has too many entries", expected=f"at most {MAX_ENTRIES}")
        if isinstance(folder, SetAside):
            yield folder
            continue
        try:
            yield read_entry(folder)
        except (MrbenchError, OSError) as error:
            why = Why.VERSION if isinstance(error, IncompatibleError) else Why.INVALID
            yield SetAside(_shown(folder, board / RECORDS), _line(error), why)


def _folders(records: Path, within: tuple[str, ...]) -> Iterator[Path | SetAside]:
    """The folders three levels down; whatever else lies on the way is set aside."""
    level: list[Path] = [records] if records.is_dir() else []
    for depth in range(3):
        deeper = []
        for folder in level:
            for found in sorted(os.scandir(folder), key=lambda one: one.name):
                if depth < len(within) and found.name != within[depth]:
                    continue
                path = Path(found.path)
                if found.is_dir(follow_symlinks=False) and not found.name.startswith("."):
                    deeper.append(path)
                elif not found.name.startswith("."):
                    what = "a link" if found.is_symlink() else "a file"
                    yield SetAside(_shown(path, records), f"is {what}, not a folder")
        level = deeper
    yield from level


def read_entry(folder: Path) -> Stored:
    """The entry in a folder.

    Raises:
        DataError, IncompatibleError, OSError: it cannot be read, is none, or lies elsewhere than it says.
    """
    content = read_plain(folder / ENTRY, MAX_BYTES)
    entry = parse_entry(content)
    expected = folder_of(Path(), entry, id_of(content)).parts[1:]
    if folder.parts[-3:] != expected:
        raise DataError(
            f"{ENTRY}: does not belong to its folder", expected="/".join(expected), found="/".join(folder.parts[-3:])
        )
    _check_files(folder, entry)
    return Stored(folder.name, folder, entry)


def _check_files(folder: Path, entry: Entry) -> None:
    """Refuses links, folders, files that the entry does not name, and sizes that it does not say."""
    found = {one.name: one for one in os.scandir(folder)}
    for name in [*entry.files, ENTRY]:
        if name not in found:
            raise DataError(f"{name}: is missing")
    for name, one in found.items():
        if not one.is_file(follow_symlinks=False):
            raise DataError(f"{name[:80]}: is a {'link' if one.is_symlink() else 'folder'}, not a plain file")
        if name not in entry.files and name != ENTRY:
            raise DataError(f"{name[:80]}: the entry names no such file")
        if name != ENTRY and (size := one.stat(follow_symlinks=False).st_size) != entry.files[name].bytes:
            raise DataError(f"{name}: has another size", expected=str(entry.files[name].bytes), found=str(size))


def _shown(path: Path, records: Path) -> str:
    return visible(str(path.relative_to(records)))[:300]


def _line(error: Exception) -> str:
    if isinstance(error, MrbenchError):
        parts = [error.what, error.expected and f"expected {error.expected}", error.found and f"found {error.found}"]
        return visible("; ".join(filter(None, parts)).replace("\n", " "))[:500]
    return visible(f"{ENTRY}: {getattr(error, 'strerror', None) or error}")[:500]
