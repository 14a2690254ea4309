"""What a person sees while a run computes: live bars in a terminal, plain lines elsewhere; always on stderr."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from mrbench.engine.cell import CellSpec
from mrbench.engine.jobs import SideBySide, idle_cores
from mrbench.engine.plan import Plan
from mrbench.engine.run import Run
from mrbench.engine.settings import Settings, Watch

PLAIN_SECONDS = 10.0
"""Without a terminal, a cell's epochs are told of at most this often."""

HOUR = 3600.0


class View(Protocol):
    """Shows events of cells."""

    def show(self, spec: CellSpec, event: Mapping[str, Any]) -> None: ...


@contextmanager
def open_progress(plan: Plan, run: Run, settings: Settings, notes: Sequence[str] = ()) -> Iterator[Watch]:
    """The view that fits where stderr goes, told of every event, with ``notes`` and estimates on top."""
    console = Console(stderr=True)
    cells = [cell.spec for cell in plan.cells if not cell.not_applicable]
    trainings = {one.training_folder(run.results) for spec in cells for one in spec.trainings}
    estimate = _Estimate(sum(not folder.exists() for folder in trainings), settings)
    count = "1 cell" if len(plan.cells) == 1 else f"{len(plan.cells)} cells"
    said = f"run {run.id}: {count}, {SideBySide(settings.jobs, settings.jobs_reason).told}, results in {run.results}"
    console.print(said, highlight=False, markup=False, soft_wrap=True)
    threads = max((spec.conditions.threads for spec in cells), default=1)
    for line in filter(None, (*notes, idle_cores(estimate.left, threads, settings.device))):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    with _bars(console, len(cells)) if console.is_terminal else _lines() as view:

        def watch(spec: CellSpec, event: Mapping[str, Any]) -> None:
            view.show(spec, event)
            if event["event"] == "estimate" and (line := estimate.line(spec, event["seconds"])):
                console.print(line, highlight=False, markup=False)

        yield watch


class _Estimate:
    """Says once per method how long its trainings will take, and warns before a wait of more than an hour."""

    def __init__(self, trainings: int, settings: Settings) -> None:
        self.left, self.settings = trainings, settings
        self.told: set[tuple[str, str]] = set()

    def line(self, spec: CellSpec, seconds: float) -> str:
        """The line to print, or nothing where it has been said."""
        if (spec.method, spec.dataset) in self.told:
            return ""
        self.told.add((spec.method, spec.dataset))
        text = f"{spec.title}: about {duration(seconds)} of training"
        if seconds * self.left / self.settings.jobs > HOUR:
            total = duration(seconds * self.left / self.settings.jobs)
            text += f"; the {self.left} trainings of this run may take {total}."
            text += " --preset quick is much faster" if spec.preset == "paper" else ""
        return text


def duration(seconds: float) -> str:
    """A time in the two largest units that matter."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, hours = round(seconds / 60), int(seconds // 3600)
    return f"{minutes} min" if hours < 2 else f"{hours} h {minutes % 60:02d} min"


def describe(event: Mapping[str, Any]) -> str:
    """One event in words; nothing where there is nothing to say."""
    words = WORDS.get(event["event"])
    return words(event) if words else ""


def _epoch(event: Mapping[str, Any]) -> str:
    text = f"{event['stage']} epoch {event['epoch'] + 1}/{event['epochs']} loss {event['train/total']:.4f}"
    return text + (f" validation {event['validation/total']:.4f}" if "validation/total" in event else "")


def _brief(event: Mapping[str, Any]) -> str:
    # What the bar beside it does not show already.
    if event["event"] != "epoch":
        return describe(event)
    validation = f" val {event['validation/total']:.4f}" if "validation/total" in event else ""
    return f"loss {event['train/total']:.4f}{validation}  {event['stage']}"


def _settled(event: Mapping[str, Any]) -> str:
    reason = event["reason"].splitlines()[0] if event["reason"] else ""
    return f"{event['status']}: {reason}" if reason else str(event["status"])


WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "phase": lambda event: str(event["phase"]),
    "epoch": _epoch,
    "cases": lambda event: f"predict {event['done']}/{event['total']} cases",
    "kept": lambda _: "finished before, kept",
    "damaged": lambda event: f"{event['fault']}; moved to {event['moved']}, computed anew",
    "waiting": lambda event: f"waiting: {event['owner']} is computing it",
    "warning": lambda event: f"warning: {event['text']}",
    "settled": _settled,
}


class _Lines:
    """A line per event; epochs and cases at intervals."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}

    def show(self, spec: CellSpec, event: Mapping[str, Any]) -> None:
        last = event.get("done") is not None and event["done"] == event.get("total")
        frequent = event["event"] in ("epoch", "cases") and not last
        if frequent and time.monotonic() - self.last.get(spec.title, 0.0) < PLAIN_SECONDS:
            return
        if text := describe(event):
            self.last[spec.title] = time.monotonic() if frequent else self.last.get(spec.title, 0.0)
            click.echo(f"{spec.title}: {text}", err=True)


@contextmanager
def _lines() -> Iterator[View]:
    yield _Lines()


class _Bars:
    """One bar for the run and one per running cell."""

    def __init__(self, progress: Progress, cells: int) -> None:
        self.progress = progress
        self.total = progress.add_task("cells", total=cells, state="")
        self.tasks: dict[str, TaskID] = {}
        self.started: dict[str, float] = {}

    def show(self, spec: CellSpec, event: Mapping[str, Any]) -> None:
        if event["event"] in ("kept", "settled"):
            self._finish(spec, event)
            return
        if event["event"] == "damaged":
            self.progress.console.print(Text(f"{spec.title}: {describe(event)}", style="yellow"), highlight=False)
            return
        task = self.tasks.get(spec.title)
        if task is None:
            name = f"{spec.method} {spec.place}"
            task = self.tasks[spec.title] = self.progress.add_task(name, total=None, state="")
        done, total = self._position(spec, event)
        state = self._left(spec, done, total) + _brief(event)
        self.progress.update(task, completed=done, total=total, state=state)

    def _position(self, spec: CellSpec, event: Mapping[str, Any]) -> tuple[float | None, float | None]:
        match event["event"]:
            case "phase":
                self.started[spec.title] = time.monotonic()
                return 0, None
            case "epoch":
                return event["epoch"] + 1, event["epochs"]
            case "cases":
                return event["done"], event["total"]
        return None, None

    def _left(self, spec: CellSpec, done: float | None, total: float | None) -> str:
        if not done or not total:
            return ""
        elapsed = time.monotonic() - self.started.get(spec.title, time.monotonic())
        return f"{duration(elapsed / done * (total - done))} left  "

    def _finish(self, spec: CellSpec, event: Mapping[str, Any]) -> None:
        if spec.title in self.tasks:
            self.progress.remove_task(self.tasks.pop(spec.title))
        self.progress.update(self.total, advance=1)
        if event["event"] == "settled":
            colour = "green" if event["status"] == "ok" else "red"
            self.progress.console.print(Text(spec.title, style=colour), Text(describe(event)), highlight=False)


@contextmanager
def _bars(console: Console, cells: int) -> Iterator[View]:
    rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        BarColumn(bar_width=10),
        MofNCompleteColumn(table_column=Column(no_wrap=True, justify="right")),
        TextColumn("{task.fields[state]}", style="dim", markup=False, table_column=rest),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        yield _Bars(progress, cells)
