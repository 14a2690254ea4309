"""What a plugin does besides: files that it writes, pickles, global generators, memory.

Files and pickles are noted by an audit hook, which cannot be taken away again; it is added at the first use and does
nothing while nobody watches. Compiled libraries that open files themselves (HDF5, for one) are not seen. Memory is that
of Python and NumPy, by tracemalloc, and torch's, by the tensors that are alive.
"""

import gc
import os
import random
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

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


@dataclass(frozen=True, eq=False)
class RandomState:
    """States by the name of the library; torch's only where torch is loaded."""

    states: dict[str, Any]

    @classmethod
    def now(cls) -> "RandomState":
        """The present states."""
        states: dict[str, Any] = {"random": random.getstate(), "numpy": np.random.get_state(legacy=False)}
        if "torch" in sys.modules:
            import torch

            states["torch"] = torch.get_rng_state()
        return cls(states)

    def changed(self) -> list[str]:
        """The libraries whose generator is no longer in this state."""
        now = RandomState.now().states
        return [name for name, state in self.states.items() if _bytes(state) != _bytes(now[name])]

    def restore(self) -> None:
        """Gives every generator back as it was."""
        random.setstate(self.states["random"])
        np.random.set_state(self.states["numpy"])
        if "torch" in self.states:
            import torch

            torch.set_rng_state(self.states["torch"])


def _bytes(state: Any) -> bytes:
    if isinstance(state, dict):  # NumPy's
        return repr([state["state"]["pos"], state["has_gauss"]]).encode() + state["state"]["key"].tobytes()
    return repr(state).encode() if isinstance(state, tuple) else bytes(state.numpy().tobytes())


@contextmanager
def seeded_globally(seed: int) -> Iterator[None]:
    """Every global generator under a seed of its own; all are given back as they were."""
    before = RandomState.now()
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        import torch

        torch.manual_seed(seed)
    try:
        yield
    finally:
        before.restore()


ROUNDS = 8
"""Of each block of calls; the first block warms up, because caches fill in it."""

BLOCKS = 3


@dataclass(frozen=True)
class Growth:
    """What is kept per call."""

    bytes_per_round: float
    tensors_per_round: float

    @classmethod
    def measure(cls, call: Callable[[int], Any]) -> "Growth":
        """Calls a function again and again; its argument is the number of the call.

        What is kept grows in every block of calls; a cache that fills late grows in one.
        """
        with ExitStack() as stack:
            # What is there already is not looked at again, which in a large process takes seconds.
            gc.collect()
            gc.freeze()
            stack.callback(gc.unfreeze)
            if not tracemalloc.is_tracing():
                tracemalloc.start(1)
                stack.callback(tracemalloc.stop)
            kept = [_after(call, block) for block in range(BLOCKS)]
        grown = [(late[0] - early[0], late[1] - early[1]) for early, late in pairwise(kept)]
        least = min(grown)
        return cls(least[0] / ROUNDS, least[1] / ROUNDS)


def _after(call: Callable[[int], Any], block: int) -> tuple[int, int]:
    for number in range(ROUNDS):
        call(block * ROUNDS + number)
    return _kept()


def _kept() -> tuple[int, int]:
    # Bytes, and tensors among them.
    gc.collect()
    traced = tracemalloc.get_traced_memory()[0]
    if "torch" not in sys.modules:
        return traced, 0
    import torch

    tensors = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor) and one.layout is torch.strided]
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in tensors}
    return traced + sum(storages.values()), len(tensors)
