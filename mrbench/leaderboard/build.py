"""Building: a folder with the site and the tables as text, replaced as a whole."""

import gc
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from mrbench.errors import UsageError
from mrbench.leaderboard.assemble import assemble
from mrbench.leaderboard.board import Board
from mrbench.leaderboard.reported import REPORTED
from mrbench.leaderboard.settings import SETTINGS
from mrbench.leaderboard.store import RECORDS
from mrbench.leaderboard.tables import FORMATS
from mrbench.registry import Registry

CACHE = ".compared.json"
"""What was compared, in the built folder; it also tells a built folder from others."""

PICTURES = "pictures"
"""PNG files of a board, in a folder for each data set."""


@dataclass(frozen=True, eq=False)
class Built:
    """What was written.

    Attributes:
        files, bytes: their number and size.
    """

    board: Board
    files: int
    bytes: int


def build(folder: Path, to: Path, registry: Registry) -> Built:
    """Builds the leaderboard of a folder, of the entries that verify; others are listed apart.

    Args:
        to: a folder that an earlier build wrote, which is replaced, or one that is not there or is empty.

    Raises:
        UsageError: there is no leaderboard, or ``to`` holds something else.
        DataError: its settings, reported figures or registered data cannot be read.
    """
    from mrbench.leaderboard.site.write import write_site

    check_board(folder)
    with _replaced_folder(to) as work, _uncollected():
        board = assemble(folder, registry, work / CACHE, verified_file(to))
        (work / CACHE).touch()
        for name, write in FORMATS.items():
            (work / name).write_text(write(board), encoding="utf-8")
        write_site(board, work, downloads=tuple(FORMATS), pictures=folder / PICTURES)
        sizes = [path.stat().st_size for path in work.rglob("*") if path.is_file()]
    return Built(board, len(sizes), sum(sizes))


def verified_file(to: Path) -> Path:
    """Where it is kept what verified: beside the built folder, for nobody else to read."""
    return to.with_name(f"{to.name}.verified.json")


def check_board(folder: Path) -> None:
    """Refuses a folder without a leaderboard.

    Raises:
        UsageError: it has neither records nor reported figures nor settings.
    """
    if not any((folder / name).exists() for name in (RECORDS, REPORTED, SETTINGS)):
        raise UsageError(
            f"there is no leaderboard in {folder}",
            expected=f"{RECORDS}/, {REPORTED} or {SETTINGS}",
            hint="mrbench leaderboard add RUN --to FOLDER begins one",
        )


def check_built(folder: Path) -> None:
    """Refuses a folder that no build wrote.

    Raises:
        UsageError: it is not there, or holds something else.
    """
    if not (folder / CACHE).is_file():
        raise UsageError(f"{folder} is no built leaderboard", hint=f"mrbench leaderboard build --to {folder}")


@contextmanager
def _uncollected() -> Iterator[None]:
    # Millions of objects, none of them in a circle: looking for circles among them takes a third of the time.
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _replaced_folder(to: Path) -> Iterator[Path]:
    """A new folder beside ``to`` that takes its place at the end; what was compared before is kept."""
    if to.is_symlink() or (to.exists() and not to.is_dir()):
        raise UsageError(f"cannot build into {to}: it is no folder")
    if to.is_dir() and any(to.iterdir()) and not (to / CACHE).is_file():
        raise UsageError(f"cannot build into {to}: it has files that no build wrote", hint="--to names another folder")
    to.parent.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix=f".{to.name}.", dir=to.parent))
    work.chmod(0o755)
    try:
        if (to / CACHE).is_file():
            shutil.copyfile(to / CACHE, work / CACHE)
        yield work
        old = Path(mkdtemp(prefix=f".{to.name}.", dir=to.parent))
        if to.exists():
            to.rename(old / to.name)
        work.rename(to)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(work, ignore_errors=True)
