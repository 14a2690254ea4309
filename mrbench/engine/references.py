"""Which runs refer to which cells and trainings of a results folder."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrbench.engine.cell import CellSpec
from mrbench.engine.inventory import RUNS
from mrbench.engine.record import read_record
from mrbench.engine.run import Run, open_run
from mrbench.errors import DataError, IncompatibleError, MrbenchError


@dataclass(frozen=True)
class References:
    """What the runs of a results folder refer to.

    Attributes:
        runs: those that can be read, by the name of their folder.
        faults: why others cannot; what they refer to is not known.
        referring: the names of the runs that need a cell or a training, by its path below the results folder.
    """

    runs: Mapping[str, Run]
    faults: Sequence[MrbenchError]
    referring: Mapping[Path, frozenset[str]]

    def to(self, final: Path) -> frozenset[str]:
        """The runs that refer to a cell or a training."""
        return self.referring.get(final, frozenset())

    def without(self, names: Iterable[str]) -> "References":
        """The references of the other runs."""
        gone = set(names)
        return _of({name: run for name, run in self.runs.items() if name not in gone}, self.faults)


def references(results: Path) -> References:
    """Reads every run."""
    runs: dict[str, Run] = {}
    faults: list[MrbenchError] = []
    for path in sorted((results / RUNS).glob("*/run.json")):
        try:
            runs[path.parent.name] = open_run(str(path.parent), results)
        except (DataError, IncompatibleError) as error:
            faults.append(error)
    return _of(runs, faults)


def _of(runs: Mapping[str, Run], faults: Sequence[MrbenchError]) -> References:
    found: dict[Path, set[str]] = {}
    for name, run in runs.items():
        for spec, not_applicable in run.cells:
            for path in () if not_applicable else paths_of(spec):
                found.setdefault(path, set()).add(name)
    return References(runs, faults, {path: frozenset(names) for path, names in found.items()})


def paths_of(spec: CellSpec) -> Iterator[Path]:
    """Paths of a cell and of the trainings that it needs, below a results folder."""
    yield spec.folder(Path())
    yield from (one.training_folder(Path()) for one in spec.trainings)


def trainings_of(cell: Path) -> Iterator[Path]:
    """Paths of the trainings that a cell's folder was predicted with; none where its record cannot be read."""
    try:
        record = read_record(cell)
        spec = CellSpec.from_json(record["spec"]) if record else None
    except (DataError, IncompatibleError):
        return
    if spec:
        yield from (one.training_folder(Path()) for one in spec.trainings)
