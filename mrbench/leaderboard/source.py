"""A leaderboard as a source of method runs: entries give the same objects as the cells of a results folder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mrbench.engine.cases import read_cases
from mrbench.engine.result import Result, StoredScores
from mrbench.engine.score import scoring_digests
from mrbench.errors import DataError, IncompatibleError
from mrbench.leaderboard.entry import CellEntry, Entry, Score
from mrbench.leaderboard.store import Stored
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import Scores
from mrbench.registry import GROUP, Plugin
from mrbench.results.method_run import MethodRun
from mrbench.results.table import Value
from mrbench.results.trainings import FAILED
from mrbench.statistics.interval import Interval


@dataclass(frozen=True, eq=False)
class PackedCell:
    """The scores that were packed with a cell of an entry."""

    stored: Stored
    cell: CellEntry

    def read(self, metrics: Mapping[str, Plugin[Any]], protocol: ScoringProtocol, samples: int | None) -> StoredScores:
        """The packed scores under a protocol; those of a metric that is defined otherwise here are a fault.

        Raises:
            DataError: they cannot be read, or are not those that were packed.
            IncompatibleError: none were packed under this protocol and the definitions of here, or a part of the
                samples is asked for.
        """
        if samples is not None or protocol.name not in self.stored.entry.scores:
            what = f"the first {samples} samples" if samples is not None else f"the protocol {protocol.name!r}"
            raise IncompatibleError(f"entry {self.stored.id[:6]} holds no scores of {what}")
        packed, here = self.stored.entry.scores[protocol.name], scoring_digests(metrics, protocol)
        same = {name for name in metrics if name in packed and packed[name].definition == here[name]}
        other = [name for name in metrics if name in packed and name not in same]
        if other and not same:
            raise IncompatibleError(
                f"entry {self.stored.id[:6]} holds {', '.join(other)} by other definitions than those installed here",
                hint="install the versions of the plugins and of mrbench that it was packed with",
            )
        faults = {
            name: f"{name}: entry {self.stored.id[:6]} holds it by another definition than the one installed here"
            for name in other
        }
        return StoredScores(packed_scores(self.stored, protocol.name, self.cell).only(same), faults)


def method_run_of(stored: Stored) -> MethodRun:
    """The method run that was packed as an entry."""
    entry = stored.entry
    return MethodRun(
        results=tuple(_result(stored, cell) for cell in entry.cells),
        description=description_of(entry),
        id=stored.id,
        more_caveats=(*entry.more_caveats, *stored.caveats),
        packed_digest=entry.prediction_digest,
        tested_cases=tuple(sorted({(c.fold, *pair) for c in entry.finished for pair in c.cases.items()})),
    )


def description_of(entry: Entry) -> dict[str, Any]:
    """What the data set declared of itself."""
    return vars(entry.data) | {"raters": entry.data.raters.value, "unit": entry.data.unit.value}


def _result(stored: Stored, cell: CellEntry) -> Result:
    phases = {n: {"seconds": p.seconds, "peak_memory_mib": p.peak_memory_mib} for n, p in cell.phases.items()}
    profile = {
        "phases": phases,
        "parameters": cell.parameters,
        "milliseconds_per_image": cell.milliseconds_per_image,
        "epochs": cell.epochs,
        "trained_on_shared_device": not cell.trained_alone,
    }
    record = {
        "versions": cell.versions,
        "environment": {**cell.environment, "shared_device": not cell.alone},
        "profile": profile,
        "written": cell.written,
        "metric_faults": dict(enumerate(cell.faults)),
        "code": recorded_code(stored.entry),
        FAILED: cell.place in stored.failed,
    }
    spec = replace(stored.entry.spec, fold=cell.fold, seed=cell.seed)
    return Result(spec, cell.status, cell.reason, record, PackedCell(stored, cell))


def recorded_code(entry: Entry) -> Mapping[str, Any]:
    """The code that an entry was computed with, as records of cells tell it; blank where no plugin here has it."""
    # Of plugins alone: a stranger's entry must not have any package of this machine read.
    known = {point.value.partition(":")[0].partition(".")[0] for point in entry_points(group=GROUP)}
    own = {module.partition(".")[0] for module in entry.code.modules}
    return vars(entry.code) if own <= known else {}


def packed_values(entry: Entry, protocol: str, folds: int) -> dict[str, Value]:
    """The values that an entry has under a protocol, by metric; ``folds``: how many it should cover."""
    return {name: value_of(score, folds) for name, score in entry.scores.get(protocol, {}).items()}


def value_of(score: Score, of_folds: int) -> Value:
    """The value that was packed; ``of_folds``: how many it should cover."""
    ends = score.low, score.high
    interval = None if ends[0] is None or ends[1] is None else Interval(ends[0], ends[1])
    return Value(
        mean=score.mean,
        sd=score.sd,
        folds=score.folds,
        of_folds=of_folds,
        cases=score.cases,
        of_cases=score.of_cases,
        subjects=score.subjects,
        by_class=score.by_class,
        by_rater=score.by_rater,
        interval=interval,
        no_interval=score.no_interval,
        definition=score.definition,
    )


def cases_file(protocol: str, cell: CellEntry) -> str:
    """The name of the file with a cell's cases under a protocol."""
    return f"{protocol}.{cell.place}.csv.gz"


def packed_scores(stored: Stored, protocol: str, cell: CellEntry) -> Scores:
    """The scores of a cell's cases.

    Raises:
        DataError: they cannot be read, or are not those that were packed.
    """
    name = cases_file(protocol, cell)
    if name not in stored.entry.files:
        raise DataError(f"{name}: is missing")
    with checked_file(stored.read(name), name) as path:
        return read_cases(path)


class checked_file:  # noqa: N801
    """Bytes that were checked, as a file for readers of files: nobody can change them in between."""

    def __init__(self, content: bytes, name: str) -> None:
        self.folder = TemporaryDirectory(prefix="mrbench-")
        self.path = Path(self.folder.name) / name
        self.path.write_bytes(content)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *error: object) -> None:
        self.folder.cleanup()
