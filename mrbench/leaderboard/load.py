"""Loading a leaderboard for a notebook: its folder, or an archive of it."""

import atexit
import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import IO, Self, cast
from zlib import error as ZlibError  # noqa: N812

from mrbench.data.archive import FREE_BYTES, MAX_RATIO, Bounded, open_member
from mrbench.errors import DataError
from mrbench.leaderboard.assemble import assembled
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.checked import checked
from mrbench.leaderboard.reported import REPORTED
from mrbench.leaderboard.settings import SETTINGS
from mrbench.leaderboard.source import method_run_of
from mrbench.leaderboard.store import RECORDS
from mrbench.registry import Registry
from mrbench.results.collection import Results
from mrbench.results.table import Table

MAX_FILES = 1_000_000
"""Members of an archive at most."""

MAX_NAME_BYTES = 2**16
"""Of what stands before a member to say its long name or more facts: it is read at once."""


def is_leaderboard(path: Path) -> bool:
    """Is it the folder of a leaderboard, or a file that may be an archive of one?"""
    return path.is_file() or any((path / name).exists() for name in (RECORDS, REPORTED, SETTINGS))


def load_leaderboard(path: Path, registry: Registry) -> Results:
    """The method runs of the entries that verify, and the tables of the site; notes name the others.

    Raises:
        DataError: an archive that is damaged, holds no leaderboard, or unpacks to more than its size can hold.
    """
    folder = _unpacked(path) if path.is_file() else path
    found = checked(folder, registry)

    @cache
    def board() -> Board:
        return assembled(folder, found, registry)

    def tables() -> Sequence[Table]:
        return [table for page in board().datasets for table in page.tables]

    runs = tuple(method_run_of(one) for one in found.stored)
    notes = tuple(f"listed apart, {one.why}: {one.path}: {one.fault}" for one in found.listed_apart)
    return Results(runs, registry, notes, made=tables)


def _unpacked(path: Path) -> Path:
    """A leaderboard's folder that lasts as long as the process: plain files alone, no more bytes than can be in it."""
    to = Path(mkdtemp(prefix="mrbench-"))
    atexit.register(shutil.rmtree, to, ignore_errors=True)  # method runs read their cases when they are asked for
    budget = _Budget(max(FREE_BYTES, MAX_RATIO * path.stat().st_size))
    try:
        unpack = _unzip if zipfile.is_zipfile(path) else _untar
        unpack(path, to, budget)
    except _DAMAGE as error:
        shutil.rmtree(to, ignore_errors=True)
        whole = "a whole .zip or .tar.gz archive"
        raise DataError(f"cannot read {path}", expected=whole, found=f"{error}"[:200]) from None
    folders = [folder for folder in (to, *sorted(to.iterdir())) if folder.is_dir() and is_leaderboard(folder)]
    if not folders:
        raise DataError(f"the archive {path} holds no leaderboard", expected=f"{RECORDS}/, {REPORTED} or {SETTINGS}")
    return folders[0]


_DAMAGE = (OSError, EOFError, ValueError, RuntimeError, ZlibError, zipfile.BadZipFile, tarfile.TarError)
"""What reading a damaged or hostile archive raises."""


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
        if size < 0:
            raise ValueError(f"a file of {size} bytes")
        if self.files > MAX_FILES:
            raise ValueError(f"more than {MAX_FILES:,} files")
        if self.left < 0:
            raise ValueError(f"unpacks to more than {self.allowed} bytes, which is more than its size can hold")


def _unzip(path: Path, to: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            budget.take(member.file_size)
            if not member.filename.endswith("/"):
                with open_member(archive, member) as source:
                    _write(source, to / _inside(member.filename), member.file_size)


def _untar(path: Path, to: Path, budget: _Budget) -> None:
    # What comes between two members, such as a long name, counts too: the stream is bounded, not what they declare.
    with (
        gzip.open(path) as packed,
        io.BufferedReader(Bounded(packed, budget.allowed)) as stream,
        tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive,
    ):
        for member in archive:
            budget.take(member.size)
            _check_facts(archive)
            if member.isfile() and (source := archive.extractfile(member)) is not None:
                with source:
                    _write(source, to / _inside(member.name), member.size)
        _check_end(cast("IO[bytes]", archive.fileobj))


class _Header(tarfile.TarInfo):
    """The header of a member; where it is damaged, ``tarfile`` would take it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        if len(buf) == tarfile.BLOCKSIZE and not any(buf):
            return super().frombuf(buf, encoding, errors)  # raises what stands for the end
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.TarError as error:
            raise ValueError(f"{error} where a member or the end of the archive should be") from None
        if found.type in _OF_NAMES and found.size > MAX_NAME_BYTES:
            raise ValueError(f"the name of a member, or what else is said of it, takes {found.size} bytes")
        return found


_OF_NAMES = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip
"""Types of what says more of the next member, or of all that follow."""


def _check_facts(archive: tarfile.TarFile) -> None:
    """Frees the members that were read, each with all that is said of it; what is said of all of them is kept."""
    archive.members.clear()  # type: ignore[attr-defined]
    if sum(map(len, archive.pax_headers.values())) > MAX_NAME_BYTES:
        raise ValueError(f"more than {MAX_NAME_BYTES} bytes are said of all members")


def _check_end(rest: IO[bytes]) -> None:
    """Reads what follows the block that ends an archive: only then gzip compares its checksum."""
    while block := rest.read(tarfile.RECORDSIZE):
        if any(block):
            raise ValueError("more behind the block that ends the archive")


def _write(source: IO[bytes], target: Path, size: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)
        if file.tell() != size:
            raise ValueError(f"{target.name} is not of the size that it declares")


def _inside(name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise ValueError(f"a member that leads out of it: {name[:80]!r}")
    return Path(*parts)
