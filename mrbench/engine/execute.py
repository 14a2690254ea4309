"""Executing a run: its cells are computed where they are not there yet."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.damage import fault_of_cell, move_aside
from mrbench.engine.local import LocalExecutor, Outcome
from mrbench.engine.observers import Observers
from mrbench.engine.record import is_there, make_record, write_record
from mrbench.engine.result import Result
from mrbench.engine.run import Run, failed_folder
from mrbench.engine.settings import Settings, Watch
from mrbench.engine.store import discard, owner_of
from mrbench.engine.worker import Order
from mrbench.errors import MrbenchError
from mrbench.plugin_file import file_of


def execute(run: Run, settings: Settings, watch: Watch) -> list[Result]:
    """Computes what is missing: finished cells are kept, failed ones run again.

    Raises:
        IncompatibleError: a cell that another version wrote, unless forced.
        KeyboardInterrupt: after the running cells were stopped; their checkpoints stay.
    """
    wanted = [spec for spec, reason in run.cells if not reason]
    if settings.force:
        _delete_results(wanted, run.results)
    run.write()
    kept: list[CellSpec] = []
    todo: list[CellSpec] = []
    for spec in wanted:
        (kept if is_kept(spec, run.results, watch) else todo).append(spec)
    observers = Observers(settings.observers, run)
    with observers.of_the_run():
        for spec in kept:
            watch(spec, {"event": "kept"})
            observers.kept(spec)
        untold = _compute(run, todo, settings, watch, observers)
    return [untold.get(result.spec.title, result) for result in run.cell_results()]


def is_kept(spec: CellSpec, results: Path, watch: Watch) -> bool:
    """Is a cell finished and whole, every byte of it? A damaged one is moved aside: it is computed anew.

    Raises:
        IncompatibleError: another version wrote it.
    """
    folder = spec.folder(results)
    if not is_there(folder):
        return False
    if (fault := fault_of_cell(folder)) is None:
        return True
    if moved := move_aside(folder, results):  # its training stays, and its predictions are made again
        watch(spec, {"event": "damaged", "fault": fault.fault, "moved": str(moved)})
    return False


def _compute(
    run: Run, todo: Sequence[CellSpec], settings: Settings, watch: Watch, observers: Observers
) -> dict[str, Result]:
    """Computes cells; returns the failures, by title, that a full disk took no record of."""
    untold: dict[str, Result] = {}

    def seen(spec: CellSpec, event: Mapping[str, Any]) -> None:
        watch(spec, event)
        if event["event"] != "waiting":
            observers.starting(spec)

    work = run.folder / "logs"
    work.mkdir(exist_ok=True)
    executor = LocalExecutor(
        work,
        jobs=settings.jobs,
        timeout=settings.timeout,
        device=settings.device,
        metrics=settings.metrics,
        metric_files=settings.metric_files,
    )
    orders = [Order(spec, run.results, settings.data, settings.device, _files(spec, settings)) for spec in todo]
    with closing(executor.run(orders, seen)) as outcomes:  # an interruption ends the workers before the run's end
        for order, outcome in outcomes:
            try:
                _write_outcome(order, outcome)
            except OSError:
                untold[order.spec.title] = Result(order.spec, outcome.status, outcome.reason)
            watch(order.spec, {"event": "settled", "status": outcome.status.value, "reason": outcome.reason})
            observers.ended(order.spec)
    return untold


def _files(spec: CellSpec, settings: Settings) -> tuple[Path, ...]:
    # A file that a cell does not need would import torch in a fusion's process, and its peak memory would lie.
    names = spec.method, spec.dataset, spec.tested.dataset, *(one.method for one in spec.trainings)
    own = {file_of(name) for name in names}
    return tuple(path for path in settings.plugin_files if path.name in own or path in settings.metric_files)


def _write_outcome(order: Order, outcome: Outcome) -> None:
    failed = failed_folder(order.spec.folder(order.results))
    if outcome.status is Status.OK:
        shutil.rmtree(failed, ignore_errors=True)
        return
    failed.mkdir(parents=True, exist_ok=True)
    record = make_record(order.spec, outcome.status, reason=outcome.reason, details=outcome.details)
    write_record(failed, record)


def _delete_results(specs: Sequence[CellSpec], results: Path) -> None:
    cells = [spec.folder(results) for spec in specs]
    folders = dict.fromkeys([*cells, *(one.training_folder(results) for spec in specs for one in spec.trainings)])
    for folder in folders:
        if owner := owner_of(folder):
            hint = "wait for it or end it, or run without --force"
            raise MrbenchError(f"{owner} is computing {folder}", hint=hint)
    for folder in folders:
        discard(folder)
