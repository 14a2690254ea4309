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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrbench.engine.writing_faults import number_of, told_in, writing_error
from mrbench.errors import MrbenchError
from mrbench.files import write_json

LEASE_SECONDS = 60.0
"""Another machine's attempt is taken over this long after its owner's last sign of life."""

RENEW_SECONDS = 10.0

CHECKPOINT = "checkpoint"
"""The folder in an attempt that a successor continues from."""


class BusyError(MrbenchError):
    """A live process holds the attempt."""


@dataclass(frozen=True)
class Attempt:
    """A folder of one's own to work in.

    Attributes:
        folder: to write into.
        final: where it goes when it is done.
        marker: the file that is written last; where ``final`` holds it, ``final`` is whole.
        adopted: it was begun by a process that is gone; a checkpoint may lie in it.
        finished: another process finished between our first look and our claim.
    """

    folder: Path
    final: Path
    marker: str
    adopted: bool
    finished: bool

    def complete(self) -> None:
        """Renames the folder into place. Where another process was first, its result stays and this one is dropped."""
        (self.folder / "lease.json").unlink(missing_ok=True)
        if (self.final / self.marker).exists():
            self.discard()
        else:
            discard(self.final)  # what a removal that was interrupted left of it
            self._rename()
        for left in attempts(self.final):
            if not is_alive(left):
                shutil.rmtree(left, ignore_errors=True)

    def _rename(self) -> None:
        try:
            self.folder.rename(self.final)
        except OSError:
            if not (self.final / self.marker).exists():
                raise
            self.discard()

    def discard(self) -> None:
        """Removes the folder and what is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def discard(folder: Path) -> None:
    """Removes a finished folder: first its name, at once, then its content, so that no half of it is ever found."""
    name = folder.name.partition(".attempt-")[0]  # what is going is no attempt that somebody may take over
    trash = folder.with_name(f"{name}.trash-{uuid.uuid4().hex[:8]}")
    try:
        folder.rename(trash)
    except FileNotFoundError:
        return
    shutil.rmtree(trash, ignore_errors=True)


def of_the_machine(error: Exception) -> bool:
    """Is it the machine's fault, a full disk or memory that ran out, so that continuing may well succeed?"""
    named = type(error).__name__ in ("OutOfMemoryError", "AcceleratorError")
    memory = isinstance(error, MemoryError) or "can't allocate memory" in str(error)
    return named or memory or isinstance(error, OSError | BusyError) or number_of(error) is not None


@contextmanager
def attempt(final: Path, marker: str) -> Iterator[Attempt]:
    """Claims the attempt at ``final`` and keeps its lease alive.

    An interruption or a fault of the machine leaves the folder with its checkpoint to a successor. A fault of the
    method's own removes it: continuing would repeat the fault, or mix in what was trained before it was mended.

    Args:
        marker: the name of the file that is written last.

    Raises:
        BusyError: a live process is at it.
        WritingError: a disk that is full, read-only or broken.
    """
    with told_in(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
        folder, adopted = _claim(final)
    stop = threading.Event()
    renewal = threading.Thread(target=_renew, args=(folder, stop), daemon=True)
    renewal.start()
    try:
        try:
            yield Attempt(folder, final, marker, adopted, (final / marker).exists())
        finally:  # first, or the lease would be written anew while its folder is removed
            stop.set()
            renewal.join()
    except Exception as error:
        told = writing_error(error, final.parent)
        if of_the_machine(error) and folder.exists():
            _clear(folder, keep=("lease.json",))  # half a file is of no use, and would fill a disk that is full
        else:
            shutil.rmtree(folder, ignore_errors=True)
        if told is None or told is error:
            raise
        raise told from error


def _claim(final: Path) -> tuple[Path, bool]:
    own = final.with_name(f"{final.name}.attempt-{uuid.uuid4().hex[:12]}")
    for found in attempts(final):
        if is_alive(found):
            raise BusyError(f"another process is computing {final.name}", found=_owner(found))
        try:
            found.rename(own)
        except FileNotFoundError:
            continue  # somebody else took it over first
        _clear(own)
        write_json(own / "lease.json", _lease())
        return own, True
    own.mkdir(parents=True)  # mrbench clean may have removed the folder above while it was empty
    try:
        write_json(own / "lease.json", _lease())
    except OSError:
        own.rmdir()  # or it would be waited for, as one whose owner has just begun
        raise
    # Two that saw nobody and both came: the later name gives way.
    rivals = [found for found in attempts(final) if found != own and is_alive(found)]
    if any(rival.name < own.name for rival in rivals):
        shutil.rmtree(own)
        raise BusyError(f"another process is computing {final.name}", found=_owner(rivals[0]))
    return own, False


def _clear(folder: Path, keep: Sequence[str] = ()) -> None:
    # Only the checkpoint is of use. An owner who was merely asleep may still write to the other files, so they must
    # not be the successor's.
    for path in folder.iterdir():
        if path.name in (CHECKPOINT, *keep):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def attempts(final: Path) -> list[Path]:
    """The attempts at a folder, whoever owns them."""
    return sorted(final.parent.glob(f"{final.name}.attempt-*"))


def is_busy(final: Path) -> bool:
    """Is a live process at it?"""
    return bool(owner_of(final))


def owner_of(final: Path) -> str:
    """The live process that is at it, ``process 12 on host``; empty where none is."""
    return next((_owner(found) for found in attempts(final) if is_alive(found)), "")


def _lease() -> dict[str, Any]:
    return {
        "host": _host(),
        "process": os.getpid(),
        "started": process_start(os.getpid()),
        "expiry": time.time() + LEASE_SECONDS,
    }


def _host() -> str:
    # Process numbers mean something within one boot and one name space only, whatever the host is called.
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return "/".join(parts)


def _renew(folder: Path, stop: threading.Event) -> None:
    while not stop.wait(RENEW_SECONDS):
        if not folder.exists():
            return
        with suppress(OSError):  # a passing fault of a shared disk must not cost the lease
            write_json(folder / "lease.json", _lease())


def is_alive(folder: Path) -> bool:
    """Is the owner of an attempt alive, as far as can be told?"""
    try:
        lease = json.loads((folder / "lease.json").read_text())
    except FileNotFoundError:
        return _age(folder) < RENEW_SECONDS / 2  # made a moment ago, or left by an owner who died between two steps
    except (ValueError, OSError):
        return False
    try:
        if lease["host"] != _host():
            return bool(float(lease["expiry"]) > time.time())
        started = process_start(int(lease["process"]))
        return started is not None and started == lease["started"]
    except (KeyError, TypeError, ValueError):
        return False


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _owner(folder: Path) -> str:
    try:
        lease = json.loads((folder / "lease.json").read_text())
        return f"process {lease['process']} on {lease['host'].partition('/')[0]}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
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
