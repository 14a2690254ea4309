"""A run: the cells of one command, computed where they are not there yet."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mrbench.data.description import Description
from mrbench.engine.cases import CellFiles
from mrbench.engine.cell import FORMAT, CellSpec, Status
from mrbench.engine.local import LocalExecutor, Outcome
from mrbench.engine.observers import Observers
from mrbench.engine.plan import Plan
from mrbench.engine.record import make_record, read_record, write_record
from mrbench.engine.result import Result
from mrbench.engine.store import discard, is_busy
from mrbench.engine.worker import Order
from mrbench.errors import DataError, IncompatibleError, MrbenchError, UnknownNameError
from mrbench.files import read_json, write_json
from mrbench.plugin_file import file_of
from mrbench.registry import Observer


@dataclass(frozen=True, eq=False)
class Run:
    """The cells of one command.

    Attributes:
        id: of its folder under ``runs``.
        results: the results folder.
        cells: its specifications with the reason why one cannot be.
        descriptions: what each data set declares.
        command: as it was typed.
        data: the folder of prepared data that it was given.
    """

    id: str
    results: Path
    cells: Sequence[tuple[CellSpec, str]]
    descriptions: Mapping[str, Mapping[str, Any]]
    command: str
    data: str = ""

    @property
    def folder(self) -> Path:
        return self.results / "runs" / self.id

    def write(self) -> None:
        """Writes ``run.json``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cells = [{"spec": spec.as_json(), "not_applicable": reason} for spec, reason in self.cells]
        head = {
            "format": FORMAT,
            "id": self.id,
            "data": self.data,
            "command": self.command,
            "written": datetime.now(UTC).isoformat(),
        }
        write_json(self.folder / "run.json", head | {"descriptions": self.descriptions, "cells": cells})

    def cell_results(self) -> list[Result]:
        """Where each cell stands, read from its folder; a record that is damaged costs its own cell only.

        Raises:
            IncompatibleError: a cell that another version wrote.
        """
        return [self._result(spec, reason) for spec, reason in self.cells]

    def _result(self, spec: CellSpec, not_applicable: str) -> Result:
        if not_applicable:
            return Result(spec, Status.NOT_APPLICABLE, not_applicable)
        try:
            record = self.record_of(spec)
        except DataError as error:
            return Result(spec, Status.DAMAGED, f"{error.what}: {error.found}; {DAMAGED_HINT}")
        if record is None:
            return Result(spec, Status.INTERRUPTED, "not finished; run the same command again")
        folder = spec.folder(self.results)
        status = Status(record["status"])
        files = CellFiles(folder, record) if status is Status.OK else None
        return Result(spec, status, record["reason"], record, files, folder)

    def record_of(self, spec: CellSpec) -> dict[str, Any] | None:
        """What a cell left behind, finished or failed; None where it did neither.

        Raises:
            DataError, IncompatibleError: a record that cannot be read.
        """
        folder = spec.folder(self.results)
        return read_record(folder) or read_record(failed_folder(folder))


def failed_folder(final: Path) -> Path:
    """Where the record of a cell's last failure lies, beside where it would be finished."""
    return final.with_name(f"{final.name}.failed")


def run_of(plan: Plan, results: Path, data: Path, command: str) -> Run:
    """The run of a plan."""
    cells = [(cell.spec, cell.not_applicable) for cell in plan.cells]
    return Run(plan.run_id, results, cells, plan.descriptions, command, str(data))


DAMAGED_HINT = "run the same command again: it computes this cell anew and keeps the others"

REWRITTEN = "the mrbench run that made it writes it again"


def open_run(name: str, results: Path) -> Run:
    """A run by its id, by the path of its folder, or ``last``.

    Raises:
        UnknownNameError: no such run; names the nearest.
        DataError, IncompatibleError: it cannot be read.
    """
    folder = _run_folder(name, results)
    if not folder.name.isprintable():
        raise DataError(f"cannot read the run {folder}", found="hidden characters in its name", hint="rename it")
    try:
        stored = read_json(folder / "run.json")
        if stored["format"] != FORMAT:
            found = str(stored["format"])[:80]
            raise IncompatibleError(f"the run {folder} has another format", expected=str(FORMAT), found=found)
        cells = [(CellSpec.from_json(cell["spec"]), str(cell["not_applicable"])) for cell in stored["cells"]]
        facts = {name: Description.from_json(facts).as_json() for name, facts in stored["descriptions"].items()}
        if {spec.dataset for spec, _ in cells} != set(facts):
            raise ValueError("its cells are of other data sets than it describes")
        return Run(folder.name, folder.parent.parent, cells, facts, str(stored["command"]), str(stored["data"]))
    except DataError as error:
        raise DataError(f"cannot read the run {folder}", found=error.what, hint=REWRITTEN) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"[:200]
        raise DataError(f"cannot read the run {folder}", found=said, hint=REWRITTEN) from error


def _run_folder(name: str, results: Path) -> Path:
    if (Path(name) / "run.json").exists():
        return Path(name).resolve()
    runs = sorted((results / "runs").glob("*/run.json"), key=lambda path: path.stat().st_mtime)
    known = {path.parent.name: path.parent for path in runs}
    if name == "last" and runs:
        return runs[-1].parent
    if name not in known:
        where = f"in {results}" if known else f"in {results}, which holds none"
        raise UnknownNameError("run", name, known, where=where, hint="mrbench run starts one; --out says where")
    return known[name]


@dataclass(frozen=True)
class Settings:
    """How the cells of a run are computed; none of it enters a digest.

    Attributes:
        plugin_files: those that a cell's method or data set may come from; each cell gets its own only.
        metric_files: among them, those with metrics: every cell gets them.
    """

    data: Path
    device: str = "auto"
    jobs: int = 1
    timeout: float | None = None
    force: bool = False
    plugin_files: tuple[Path, ...] = ()
    metric_files: tuple[Path, ...] = ()
    observers: tuple[Observer, ...] = ()


Watch = Callable[[CellSpec, Mapping[str, Any]], None]


def execute(run: Run, settings: Settings, watch: Watch) -> list[Result]:
    """Computes what is missing: finished cells are kept, failed ones run again.

    Raises:
        IncompatibleError: a cell that another version wrote, unless forced.
        KeyboardInterrupt: after the running cells were stopped; their checkpoints stay.
    """
    wanted = [spec for spec, reason in run.cells if not reason]
    if settings.force:
        _forget(wanted, run.results)
    run.write()
    kept: list[CellSpec] = []
    todo: list[CellSpec] = []
    for spec in wanted:
        (kept if is_kept(spec, run.results) else todo).append(spec)
    observers = Observers(settings.observers, run)
    with observers.of_the_run():
        for spec in kept:
            watch(spec, {"event": "kept"})
            observers.kept(spec)
        _compute(run, todo, settings, watch, observers)
    return run.cell_results()


def is_kept(spec: CellSpec, results: Path) -> bool:
    """Is a cell finished? One whose record is damaged is removed, so that it is computed again.

    Raises:
        IncompatibleError: another version wrote it.
    """
    folder = spec.folder(results)
    try:
        return read_record(folder) is not None
    except DataError:
        discard(folder)  # its training stays, and its predictions are made again
        return False


def _compute(run: Run, todo: Sequence[CellSpec], settings: Settings, watch: Watch, observers: Observers) -> None:
    def seen(spec: CellSpec, event: Mapping[str, Any]) -> None:
        watch(spec, event)
        if event["event"] != "waiting":
            observers.starting(spec)

    work = run.folder / "logs"
    work.mkdir(exist_ok=True)
    executor = LocalExecutor(work, jobs=settings.jobs, timeout=settings.timeout, device=settings.device)
    orders = [Order(spec, run.results, settings.data, settings.device, _files(spec, settings)) for spec in todo]
    with closing(executor.run(orders, seen)) as outcomes:  # an interruption ends the workers before the run's end
        for order, outcome in outcomes:
            _settle(order, outcome)
            watch(order.spec, {"event": "settled", "status": outcome.status.value, "reason": outcome.reason})
            observers.ended(order.spec)


def _files(spec: CellSpec, settings: Settings) -> tuple[Path, ...]:
    # A file that a cell does not need would import torch in a fusion's process, and its peak memory would lie.
    own = {file_of(spec.method), file_of(spec.dataset)}
    return tuple(path for path in settings.plugin_files if path.name in own or path in settings.metric_files)


def _settle(order: Order, outcome: Outcome) -> None:
    failed = failed_folder(order.spec.folder(order.results))
    if outcome.status is Status.OK:
        shutil.rmtree(failed, ignore_errors=True)
        return
    failed.mkdir(parents=True, exist_ok=True)
    record = make_record(order.spec, outcome.status, reason=outcome.reason, details=outcome.details)
    write_record(failed, record)


def _forget(specs: Sequence[CellSpec], results: Path) -> None:
    folders = dict.fromkeys(f for spec in specs for f in (spec.folder(results), spec.training_folder(results)))
    busy = [folder for folder in folders if is_busy(folder)]
    if busy:
        raise MrbenchError(f"another process is computing {busy[0]}", hint="wait for it, or run without --force")
    for folder in folders:
        discard(folder)
