"""Folders that are finished or not there: work in an attempt of one's own, renamed into place when it is done.

An attempt ``NAME.attempt-<id>`` holds a lease (host, process, expiry) that its owner renews. Whoever finds an attempt
whose owner is gone takes it over by renaming it, which only one can; whoever finds a live one waits or does something
else. Two machines that share a folder cannot harm each other: the worst is that both compute the same result.
"""

import json
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrbench.errors import MrbenchError

LEASE_SECONDS = 60.0
"""Another machine's attempt is taken over this long after its owner's last sign of life."""

RENEW_SECONDS = 10.0


class BusyError(MrbenchError):
    """A live process holds the attempt."""


@dataclass(frozen=True)
class Attempt:
    """A folder of one's own to work in.

    Attributes:
        folder: to write into.
        final: where it goes when it is done.
        adopted: it was begun by a process that is gone; a checkpoint may lie in it.
    """

    folder: Path
    final: Path
    adopted: bool

    def complete(self) -> None:
        """Renames the folder into place. Where another process was first, its result stays and this one is dropped."""
        (self.folder / "lease.json").unlink(missing_ok=True)
        try:
            self.folder.rename(self.final)
        except OSError:
            if not self.final.is_dir():
                raise
            shutil.rmtree(self.folder, ignore_errors=True)
        for left in attempts(self.final):
            if not _alive(left):
                shutil.rmtree(left, ignore_errors=True)

    def discard(self) -> None:
        """Removes the folder and what is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def attempt(final: Path) -> Iterator[Attempt]:
    """Claims the attempt at ``final`` and keeps its lease alive.

    An interruption, or a disk that is full, leaves the folder with its checkpoint to a successor; any other fault
    removes it, because continuing would repeat the fault.

    Raises:
        BusyError: a live process is at it.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    folder, adopted = _claim(final)
    stop = threading.Event()
    renewal = threading.Thread(target=_renew, args=(folder, stop), daemon=True)
    renewal.start()
    try:
        yield Attempt(folder, final, adopted)
    except Exception as error:
        if not isinstance(error, OSError | BusyError):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        stop.set()
        renewal.join()


def _claim(final: Path) -> tuple[Path, bool]:
    own = final.with_name(f"{final.name}.attempt-{uuid.uuid4().hex[:12]}")
    for found in attempts(final):
        if _alive(found):
            raise BusyError(f"another process is computing {final.name}", found=_owner(found))
        try:
            found.rename(own)
        except FileNotFoundError:
            continue  # somebody else took it over first
        write_json(own / "lease.json", _lease())
        return own, True
    own.mkdir()
    write_json(own / "lease.json", _lease())
    # Two that saw nobody and both came: the later name gives way.
    rivals = [found for found in attempts(final) if found != own and _alive(found)]
    if any(rival.name < own.name for rival in rivals):
        shutil.rmtree(own)
        raise BusyError(f"another process is computing {final.name}", found=_owner(rivals[0]))
    return own, False


def attempts(final: Path) -> list[Path]:
    """The attempts at a folder, whoever owns them."""
    return sorted(final.parent.glob(f"{final.name}.attempt-*"))


def is_busy(final: Path) -> bool:
    """Is a live process at it?"""
    return any(_alive(found) for found in attempts(final))


def _lease() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "started": process_start(os.getpid()),
        "expiry": time.time() + LEASE_SECONDS,
    }


def _renew(folder: Path, stop: threading.Event) -> None:
    while not stop.wait(RENEW_SECONDS):
        try:
            write_json(folder / "lease.json", _lease())
        except OSError:
            return  # the folder is gone or the disk is full: the work itself will say so


def _alive(folder: Path) -> bool:
    try:
        lease = json.loads((folder / "lease.json").read_text())
    except FileNotFoundError:
        return _age(folder) < RENEW_SECONDS / 2  # made a moment ago, or left by an owner who died between two steps
    except ValueError:
        return False
    if lease.get("host") != socket.gethostname():
        return bool(lease.get("expiry", 0) > time.time())
    started = process_start(int(lease.get("process", 0)))
    return started is not None and started == lease.get("started")


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _owner(folder: Path) -> str:
    try:
        lease = json.loads((folder / "lease.json").read_text())
        return f"process {lease['process']} on {lease['host']}"
    except (OSError, ValueError, KeyError):
        return "a process that has just begun"


def process_start(pid: int) -> str | None:
    """When a process began, in the system's own units, so that a reused number is no mistake; None: it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        state, *fields = stat.rpartition(")")[2].split()
        return None if state == "Z" else fields[18]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    try:
        os.kill(pid, 0)
    except PermissionError:
        return "unknown"
    except (ProcessLookupError, OverflowError):
        return None
    return "unknown"


def write_json(path: Path, value: Any) -> None:
    """Writes a JSON file whole or not at all.

    Raises:
        MrbenchError: the disk is full or cannot be written to.
    """
    with replaced(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, allow_nan=False)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place at the end, or is removed on an exception."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
