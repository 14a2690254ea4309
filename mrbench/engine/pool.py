"""Processes that score blocks side by side: light, in order, and gone when the command is."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from multiprocessing import get_all_start_methods, get_context, parent_process
from pathlib import Path
from typing import TypeVar

from mrbench.errors import MrbenchError

T = TypeVar("T")
R = TypeVar("R")

PRELOADED = ["mrbench.engine.score_block", "scipy.optimize"]
"""Imported once, before the processes are forked off."""


def map_in_processes(
    function: Callable[[T], R], tasks: Sequence[T], jobs: int, files: Sequence[Path]
) -> Generator[R, None, None]:
    """What ``function`` gives for each task, in the order of the tasks, computed by ``jobs`` processes.

    A few results at most wait to be taken. An exception of a process is raised here; an interruption ends all.

    Args:
        files: plugin files that the tasks need.

    Raises:
        MrbenchError: a process ended without an answer.
    """
    with _interruption_held_off():
        pool = _start(jobs)
    try:
        yield from _in_order(pool, partial(_call, tuple(files), function), tasks, waiting=2 * jobs)
    except BrokenProcessPool:
        raise MrbenchError(
            "a scoring process ended without an answer",
            expected="a machine with enough memory for every process",
            hint="score again with --jobs 1",
        ) from None
    except BaseException:
        _terminate(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _terminate(pool: ProcessPoolExecutor) -> None:
    # A block of volumes may take a minute: nobody who pressed Ctrl-C waits for it. Processes only read.
    for process in list((pool._processes or {}).values()):
        process.terminate()


def _start(jobs: int) -> ProcessPoolExecutor:
    # Never a plain fork: it would copy whatever threads and locks the caller holds.
    method = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
    context = get_context(method)
    if method == "forkserver":
        from multiprocessing.forkserver import ensure_running

        context.set_forkserver_preload(PRELOADED)
        ensure_running()
    return ProcessPoolExecutor(jobs, context, _begin)


def _begin() -> None:
    # Ctrl-C reaches every process of the terminal: the command itself ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # One that waits for work would wait for ever where the command was killed: it holds the other end of its queue.
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(files: tuple[Path, ...], function: Callable[[T], R], task: T) -> R:
    _import_files(files)
    return function(task)


@cache
def _import_files(files: tuple[Path, ...]) -> None:
    if files:
        from mrbench.registry import discover

        discover(entries=(), files=files)


@contextmanager
def _interruption_held_off() -> Iterator[None]:
    # What starts meanwhile ignores it from its first instruction.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _in_order(pool: ProcessPoolExecutor, function: Callable[[T], R], tasks: Sequence[T], waiting: int) -> Iterator[R]:
    rest = iter(tasks)
    running: deque[Future[R]] = deque()
    while True:
        for task in rest:
            running.append(pool.submit(function, task))
            if len(running) >= waiting:
                break
        if not running:
            return
        yield running.popleft().result()
