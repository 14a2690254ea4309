"""Repairing a run: what is not what was written is moved aside, that cell or training and nothing else."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mrbench.engine.cell import CellSpec
from mrbench.engine.damage import fault_of_cell, fault_of_training, move_aside
from mrbench.engine.record import RECORD, read_record, reproduce
from mrbench.engine.run import Run, failed_folder
from mrbench.engine.store import is_busy
from mrbench.errors import DataError


@dataclass(frozen=True)
class Damage:
    """A cell or a training that is not what was written.

    Attributes:
        spec: the cell, or the first one that shares the training.
        folder: where it lay; ``moved``: where it lies now.
        fault: what is wrong, in a line.
        training: is it a training? The cells that came from it are whole, or stand for themselves.
    """

    spec: CellSpec
    folder: Path
    moved: Path
    fault: str
    training: bool


def repair(run: Run) -> Iterator[Damage]:
    """Looks at every byte of a run's cells and trainings; moves aside what is damaged, one after another.

    What another process is computing is left alone.

    Raises:
        IncompatibleError: a cell that another version wrote.
    """
    specs = [spec for spec, not_applicable in run.cells if not not_applicable]
    trainings = {spec.training_folder(run.results): spec for spec in reversed(specs) if spec.kind == "method"}
    for spec in specs:
        folder = spec.folder(run.results)
        yield from _moved(spec, folder, fault_of_cell(folder), run, training=False)
        failed = failed_folder(folder)
        yield from _moved(spec, failed, _fault_of_failure(failed), run, training=False)
    for folder, spec in reversed(trainings.items()):
        yield from _moved(spec, folder, fault_of_training(folder), run, training=True)


def _moved(spec: CellSpec, folder: Path, fault: DataError | None, run: Run, *, training: bool) -> Iterator[Damage]:
    if fault is None or is_busy(folder):
        return
    moved = move_aside(folder, run.results)
    if moved is not None:
        yield Damage(spec, folder, moved, fault.fault, training)


def _fault_of_failure(folder: Path) -> DataError | None:
    try:
        read_record(folder)
    except DataError as error:
        return error
    return None


def anew(damage: Damage, run: Run) -> str:
    """The command that computes anew what was moved aside.

    The run's own finds a missing cell. It keeps the cells of a missing training, which only new predictions need.
    """
    whole = (damage.spec.folder(run.results) / RECORD).is_file()
    if not (damage.training and whole):
        return run.command
    return shlex.join([*shlex.split(reproduce(damage.spec)), "--out", str(run.results), "--force"])
