"""Observers of a run: each is told alone, so that one that raises harms neither the run nor the others.

An observer gets copies of its own: what it changes in them changes nothing. What it prints goes to standard error.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stdout, suppress
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mrbench.bounded import said, traceback_of
from mrbench.errors import MrbenchError, PluginError
from mrbench.naming import pick
from mrbench.registry import Observer, Registry

if TYPE_CHECKING:
    from mrbench.engine.cell import CellSpec
    from mrbench.engine.run import Run

LOG = "observers.log"
"""In a run's folder: the tracebacks of its observers."""


def choose(registry: Registry, names: Sequence[str]) -> tuple[Observer, ...]:
    """The observers of these names, each once, after their own checks.

    Raises:
        UnknownNameError: no observer answers to a name; names the nearest.
        UsageError: several distributions provide it; names them.
        MrbenchError: what the check of an observer raised.
    """
    chosen = (pick("observer", name, registry.observers, hint="mrbench list observers") for name in names)
    observers = list({observer.key: observer for observer in chosen}.values())
    for observer in observers:
        check(observer)
    return tuple(observers)


def check(observer: Observer) -> None:
    """Lets an observer say that it cannot work here.

    Raises:
        MrbenchError: what its check raised; a PluginError that names it for any other exception.
    """
    try:
        with redirect_stdout(sys.stderr):
            observer.hook.mrbench_observer_check()
    except (KeyboardInterrupt, MrbenchError):
        raise
    except BaseException as error:
        raise PluginError(f"the check of observer {observer.key!r} failed", found=_line(error)) from error


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {said(error)}".partition("\n")[0]


class Observers:
    """What the observers of one run are told. Every cell's end is told once, after its start unless it was kept."""

    def __init__(self, observers: Sequence[Observer], run: "Run") -> None:
        self.observers, self.run = observers, run
        self._runs = {observer.key: deepcopy(run) for observer in observers}
        self._started: set[str] = set()
        self._faults: set[tuple[str, str]] = set()

    @contextmanager
    def of_the_run(self) -> Iterator[None]:
        """Tells of the run's start, and of its end whatever happens in between."""
        self._tell("mrbench_run_start")
        try:
            yield
        finally:
            self._tell("mrbench_run_end", lambda: {"results": self.run.cell_results()})

    def starting(self, cell: "CellSpec") -> None:
        """Tells that a cell begins, once."""
        if cell.title not in self._started:
            self._started.add(cell.title)
            self._tell("mrbench_cell_start", lambda: {"cell": cell})

    def kept(self, cell: "CellSpec") -> None:
        """Tells of a cell that was finished before."""
        self._tell("mrbench_cell_end", lambda: {"cell": cell, "record": self.run.record_of(cell)})

    def ended(self, cell: "CellSpec") -> None:
        """Tells of a cell that was computed, or failed."""
        self.starting(cell)  # a process that died before its first word began all the same
        self.kept(cell)

    def _tell(self, hook: str, facts: Callable[[], Mapping[str, Any]] = dict) -> None:
        listening = [observer for observer in self.observers if (observer.key, hook) not in self._faults]
        if not listening:
            return
        with suppress(MrbenchError):  # a record that cannot be read is the run's to report
            told = facts()
            for observer in listening:
                self._tell_one(observer, hook, deepcopy(told))

    def _tell_one(self, observer: Observer, hook: str, facts: Mapping[str, Any]) -> None:
        try:
            with redirect_stdout(sys.stderr), chdir("."):  # standard output is for results
                getattr(observer.hook, hook)(run=self._runs[observer.key], **facts)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._set_aside(observer, hook, error)

    def _set_aside(self, observer: Observer, hook: str, error: BaseException) -> None:
        first = all(name != observer.key for name, _ in self._faults)
        self._faults.add((observer.key, hook))
        path = self.run.folder / LOG
        with suppress(OSError), path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {observer.key} in {hook}\n")
            file.write(f"{traceback_of(error)}\n")
        if first:
            print(
                f"warning: observer {observer.key!r} failed in {hook} and is not called there again: {_line(error)} "
                f"(traceback in {path})",
                file=sys.stderr,
            )
