"""Loading a leaderboard for a notebook: its folder, or an archive of it."""

import atexit
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO

from mrbench.data.archive import FREE_BYTES, MAX_RATIO
from mrbench.errors import DataError
from mrbench.leaderboard.assemble import assemble
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.reported import REPORTED
from mrbench.leaderboard.settings import SETTINGS
from mrbench.leaderboard.source import method_run_of
from mrbench.leaderboard.store import RECORDS, SetAside, Stored, entries
from mrbench.registry import Registry
from mrbench.results.collection import Results
from mrbench.results.table import Table

MAX_FILES = 1_000_000
"""Members of an archive at most."""


def is_leaderboard(path: Path) -> bool:
    """Is it the folder of a leaderboard, or a file that may be an archive of one?"""
    return path.is_file() or any((path / name).exists() for name in (RECORDS, REPORTED, SETTINGS))


def load_leaderboard(path: Path, registry: Registry) -> Results:
    """The method runs of all entries, and the tables of the site.

    Raises:
        DataError: an archive that is damaged, holds no leaderboard, or unpacks to more than its size can hold.
    """
    folder = _unpacked(path) if path.is_file() else path

    @cache
    def board() -> Board:
        return assemble(folder, registry)

    def tables() -> Sequence[Table]:
        return [table for page in board().datasets for table in page.tables]

    found = list(entries(folder))
    runs = tuple(method_run_of(one) for one in found if isinstance(one, Stored))
    notes = tuple(f"set aside: {one.path}: {one.fault}" for one in found if isinstance(one, SetAside))
    return Results(runs, registry, notes, made=tables)


def _unpacked(path: Path) -> Path:
    """A leaderboard's folder that lasts as long as the process: plain files alone, no more bytes than can be in it."""
    to = Path(mkdtemp(prefix="mrbench-"))
    atexit.register(shutil.rmtree, to, ignore_errors=True)  # method runs read their cases when they are asked for
    budget = _Budget(max(FREE_BYTES, MAX_RATIO * path.stat().st_size))
    try:
        unpack = _unzip if zipfile.is_zipfile(path) else _untar
        unpack(path, to, budget)
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise DataError(f"cannot read {path}", expected="a .zip or .tar.gz archive", found=f"{error}"[:200]) from None
    folders = [folder for folder in (to, *sorted(to.iterdir())) if folder.is_dir() and is_leaderboard(folder)]
    if not folders:
        raise DataError(f"the archive {path} holds no leaderboard", expected=f"{RECORDS}/, {REPORTED} or {SETTINGS}")
    return folders[0]


class _Budget:
    """What an archive may still unpack to."""

    def __init__(self, allowed: int) -> None:
        self.allowed, self.left, self.files = allowed, allowed, 0

    def take(self, size: int) -> None:
        """Counts one more file.

        Raises:
            ValueError: it is too much.
        """
        self.left, self.files = self.left - size, self.files + 1
        if self.files > MAX_FILES:
            raise ValueError(f"more than {MAX_FILES:,} files")
        if self.left < 0:
            raise ValueError(f"unpacks to more than {self.allowed} bytes, which is more than its size can hold")


def _unzip(path: Path, to: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            budget.take(member.file_size)
            if not member.is_dir():
                with archive.open(member) as source:
                    _write(source, to / _inside(member.filename), member.file_size)


def _untar(path: Path, to: Path, budget: _Budget) -> None:
    with tarfile.open(path) as archive:
        for member in archive:
            budget.take(member.size)
            if member.isfile() and (source := archive.extractfile(member)) is not None:
                with source:
                    _write(source, to / _inside(member.name), member.size)


def _write(source: IO[bytes], target: Path, size: int) -> None:
    content = source.read(size + 1)
    if len(content) != size:
        raise ValueError(f"{target.name} is not of the size that it declares")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _inside(name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise ValueError(f"a member that leads out of it: {name[:80]!r}")
    return Path(*parts)
