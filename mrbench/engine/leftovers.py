"""What a plugin leaves running in a worker when it has made its predictions: child processes and threads."""

import os
import threading
import time
from pathlib import Path

from mrbench.bounded import bounded
from mrbench.engine.supervisor import descendants, kill, supervisor

PYTHONS_OWN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Processes that Python keeps for as long as its own lives; they end with it."""

SECONDS = 2.0
"""How long a killed process may take to be gone."""

NAMED = 5
"""At most so many are named."""


def end_leftovers() -> list[str]:
    """Ends the processes that came of this worker, and names them and the threads that would keep it from ending.

    Only under a supervisor is it known what came of this process. A child of a fork holds the files that were open, and
    their locks; it is killed, not asked, because it would write what it holds of them.
    """
    processes = {pid: _name(pid) for pid in _children()}
    processes = {pid: name for pid, name in processes.items() if not any(own in name for own in PYTHONS_OWN)}
    kill(processes)
    _wait_for_end(set(processes))
    ended = [f"left a child process {pid} ({name}) behind; it was ended" for pid, name in processes.items()]
    threads = [f"left a thread {bounded(name, 80)!r} running; it ended with the cell" for name in _threads()]
    return [*_some(ended, "child processes"), *_some(threads, "threads")]


def _children() -> list[int]:
    root = supervisor()
    return [] if root is None else [pid for pid in descendants(root) if pid != os.getpid()]


def _name(pid: int) -> str:
    words = _command(pid)
    return "a fork of the cell's own" if words == _command(os.getpid()) else bounded(words, 120)


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return "gone by now"
    return words.decode("utf-8", "replace").strip()


def _wait_for_end(processes: set[int]) -> None:
    until = time.monotonic() + SECONDS
    while processes & set(_children()) and time.monotonic() < until:
        time.sleep(0.01)


def _threads() -> list[str]:
    # Daemons keep no process from ending: progress bars and loggers have them.
    return [one.name for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]


def _some(lines: list[str], what: str) -> list[str]:
    more = len(lines) - NAMED
    return lines[:NAMED] + ([f"left {more} more {what} behind"] if more > 0 else [])
