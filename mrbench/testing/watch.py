"""Notes what Python code of this process writes and unpickles, by an audit hook.

An audit hook cannot be taken away again; this one is added at the first use and does nothing while nobody watches.
Compiled libraries that open files themselves (HDF5, for one) are not seen.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

PATHS: dict[str, Callable[[Sequence[Any]], Sequence[Any]]] = {
    "open": lambda a: [a[0]] if isinstance(a[2], int) and a[2] & WRITING else [],
    "os.mkdir": lambda a: _here(a[:1], a[2:]),
    "os.rename": lambda a: _here(a[:2], a[2:]),
    "os.remove": lambda a: _here(a[:1], a[1:]),
    "os.rmdir": lambda a: _here(a[:1], a[1:]),
    "os.link": lambda a: _here(a[1:2], a[3:]),
    "os.symlink": lambda a: _here(a[1:2], a[2:]),
    "os.truncate": lambda a: a[:1],
    "os.chmod": lambda a: _here(a[:1], a[2:]),
    "os.chown": lambda a: _here(a[:1], a[3:]),
    "os.utime": lambda a: _here(a[:1], a[3:]),
    "shutil.rmtree": lambda a: a[:1],
}
"""The paths that an event changes, by its name."""

PASSED_OVER = ("/dev/null", "/dev/tty")

NOT_THE_PLUGINS = ("__pycache__", "torchinductor_")
"""Parts of paths that Python, or torch when its compiler is first imported, makes whoever runs."""

_watchers: list["_Watcher"] = []
_installed: list[bool] = []


class _Watcher:
    def __init__(self, allowed: Sequence[Path]) -> None:
        self.allowed = [os.path.realpath(path) for path in allowed]
        self.written: list[str] = []
        self.unpickled: list[str] = []

    def note(self, event: str, arguments: Sequence[Any]) -> None:
        if event == "pickle.find_class":
            self.unpickled.append(".".join(map(str, arguments)))
        elif event in PATHS:
            self.written += [path for path in map(_real, PATHS[event](arguments)) if path and not self._may(path)]

    def _may(self, path: str) -> bool:
        inside = any(path == folder or path.startswith(folder + os.sep) for folder in self.allowed)
        return inside or path in PASSED_OVER or any(part in path for part in NOT_THE_PLUGINS)


def _here(paths: Sequence[Any], folders: Sequence[Any]) -> Sequence[Any]:
    # A path that is relative to an open folder belongs to a walk through a tree, which has an event of its own.
    return [] if any(isinstance(folder, int) and folder >= 0 for folder in folders) else paths


def _real(path: Any) -> str:
    if not isinstance(path, str | bytes | os.PathLike):
        return ""  # an open file by its number
    return os.path.realpath(os.fsdecode(path))


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for watcher in _watchers:
        watcher.note(event, arguments)


@contextmanager
def watch(*allowed: Path) -> Iterator[list[str]]:
    """Collects the paths that are written, made, moved or removed outside the folders allowed.

    ``tempfile`` points into a folder that is allowed and removed at the end; Python's byte code is passed over.
    """
    with _watching(*allowed) as watcher:
        yield watcher.written


@contextmanager
def watch_pickles() -> Iterator[list[str]]:
    """Collects the names that pickles look up: classes and functions that a file could have chosen."""
    with _watching() as watcher:
        yield watcher.unpickled


@contextmanager
def _watching(*allowed: Path) -> Iterator[_Watcher]:
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_hook)
    with tempfile.TemporaryDirectory(prefix="mrbench-check-") as scratch:
        watcher = _Watcher([*allowed, Path(scratch)])
        kept, tempfile.tempdir = tempfile.tempdir, scratch
        _watchers.append(watcher)
        try:
            yield watcher
        finally:
            _watchers.remove(watcher)
            tempfile.tempdir = kept
