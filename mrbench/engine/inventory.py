"""What lies in a results folder, each thing once with its bytes; no link is followed, so nothing outside counts."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mrbench.engine.damage import DAMAGED
from mrbench.errors import UsageError

RUNS, CELLS, TRAININGS = "runs", "cells", "trainings"
"""The folders in a results folder."""

LOGS = "logs"
"""In a run's folder: what its cells' processes printed."""

LEVELS = 4
"""Folders above a cell or a training: its kind, its data set, its method or family, its digest."""

_PLACE = re.compile(r"fold[0-9]+-seed[0-9]+")
_TRASH = re.compile(r".+\.trash-[0-9a-f]{8}")


class Kind(StrEnum):
    """What a thing is, by where it lies and what it is called."""

    RUN = "run"
    LOGS = "logs"
    CELL = "cell"
    FAILURE = "failure"
    TRAINING = "training"
    ATTEMPT = "attempt"
    REMOVAL = "interrupted removal"
    DAMAGED = "damaged"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True)
class Item:
    """One thing in a results folder.

    Attributes:
        path: below the results folder.
        bytes: of all regular files in it.
    """

    kind: Kind
    path: Path
    bytes: int

    @property
    def final(self) -> Path:
        """The finished cell or training that it is, or that an attempt or a failure would have become."""
        return self.path.with_name(re.split(r"\.(?:attempt-|failed)", self.path.name)[0])


@dataclass(frozen=True)
class Inventory:
    """Everything in a results folder.

    Attributes:
        unreadable: folders that could not be listed; their bytes are missing.
    """

    results: Path
    items: tuple[Item, ...]
    unreadable: tuple[Path, ...]

    def of(self, *kinds: Kind) -> list[Item]:
        """The things of some kinds."""
        return [item for item in self.items if item.kind in kinds]


def inventory(results: Path) -> Inventory:
    """Looks at every file's name and size, and into none.

    Raises:
        UsageError: there is no results folder.
    """
    if not any((results / name).is_dir() for name in (RUNS, CELLS, TRAININGS)):
        expected = f"a folder with {RUNS}/, {CELLS}/ or {TRAININGS}/"
        raise UsageError(f"there are no results in {results}", expected=expected, hint="mrbench run --out makes one")
    scan = _Scan(results)
    return Inventory(results, tuple(scan.items()), tuple(scan.unreadable))


class _Scan:
    def __init__(self, results: Path) -> None:
        self.results = results
        self.unreadable: list[Path] = []

    def items(self) -> Iterator[Item]:
        for entry in self._listed(self.results):
            if (kind := _kind_aside(entry)) is not None:
                yield self._item(kind, entry)
            elif entry.name in (CELLS, TRAININGS):
                yield from self._leaves(entry, LEVELS)
            elif entry.name == RUNS:
                yield from self._runs(entry)
            elif entry.name == DAMAGED:
                yield from self._damaged(entry)
            else:
                yield self._item(Kind.OTHER, entry)

    def _damaged(self, folder: "os.DirEntry[str]") -> Iterator[Item]:
        for entry in self._listed(folder):
            known = Kind.DAMAGED if entry.name in (CELLS, TRAININGS) else Kind.OTHER
            yield self._item(_kind_aside(entry) or _removal(entry) or known, entry)

    def _leaves(self, folder: "os.DirEntry[str]", levels: int) -> Iterator[Item]:
        for entry in self._listed(folder):
            if (kind := _kind_aside(entry) or _removal(entry)) is not None:
                yield self._item(kind, entry)
            elif levels > 1:
                yield from self._leaves(entry, levels - 1)
            else:
                yield self._item(_kind_of_leaf(Path(entry).relative_to(self.results)), entry)

    def _runs(self, folder: "os.DirEntry[str]") -> Iterator[Item]:
        for entry in self._listed(folder):
            if (kind := _kind_aside(entry) or _removal(entry)) is not None:
                yield self._item(kind, entry)
                continue
            parts = self._listed(entry)
            logs = [part for part in parts if part.name == LOGS and part.is_dir(follow_symlinks=False)]
            path = Path(entry).relative_to(self.results)
            yield Item(Kind.RUN, path, sum(self._bytes(part) for part in parts if part not in logs))
            yield from (self._item(Kind.LOGS, part) for part in logs)

    def _item(self, kind: Kind, entry: "os.DirEntry[str]") -> Item:
        return Item(kind, Path(entry).relative_to(self.results), self._bytes(entry))

    def _bytes(self, entry: "os.DirEntry[str]") -> int:
        total, waiting = 0, [entry]
        while waiting:
            one = waiting.pop()
            if one.is_dir(follow_symlinks=False):
                waiting += self._listed(one)
            else:
                total += _size(one)
        return total

    def _listed(self, folder: "os.DirEntry[str] | Path") -> "list[os.DirEntry[str]]":
        try:
            with os.scandir(folder) as found:
                return sorted(found, key=lambda entry: entry.name)
        except FileNotFoundError:  # finished or removed by another process meanwhile
            return []
        except OSError:
            self.unreadable.append(Path(folder))
            return []


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else 0
    except FileNotFoundError:
        return 0


def _kind_aside(entry: "os.DirEntry[str]") -> Kind | None:
    """The kind of what is no folder of the layout, at any level; None of what may be one."""
    if entry.is_symlink():
        return Kind.LINK
    return None if entry.is_dir(follow_symlinks=False) else Kind.OTHER


def _removal(entry: "os.DirEntry[str]") -> Kind | None:
    return Kind.REMOVAL if _TRASH.fullmatch(entry.name) else None


def _kind_of_leaf(path: Path) -> Kind:
    place, _, ending = path.name.partition(".")
    if not _PLACE.fullmatch(place):
        return Kind.OTHER
    if ending.startswith("attempt-"):
        return Kind.ATTEMPT
    if not ending:
        return Kind.CELL if path.parts[0] == CELLS else Kind.TRAINING
    return Kind.FAILURE if ending == "failed" and path.parts[0] == CELLS else Kind.OTHER
