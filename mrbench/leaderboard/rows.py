"""Rows of a table from entries: figures, marks and costs, in the order of the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from mrbench.compare.paired_tests import TIE
from mrbench.engine.summary import COSTS
from mrbench.leaderboard.board import Figure, Row, RowKind
from mrbench.leaderboard.entry import CellEntry, Entry, MetricFacts, Score
from mrbench.leaderboard.store import Stored
from mrbench.leaderboard.ties import Tied
from mrbench.records import Direction, Need


@dataclass(frozen=True, eq=False)
class RowMaker:
    """What the rows of one table share.

    Attributes:
        tied: by metric.
        newest: ids of entries that are no history.
        agreement: the row of the raters' own agreement, or None.
        digests: of the metrics as they are defined here.
    """

    protocol: str
    columns: Mapping[str, MetricFacts]
    tied: Mapping[str, Tied]
    newest: set[str]
    agreement: Stored | None
    digests: Mapping[str, str]

    def row(self, stored: Stored) -> Row:
        """The row of an entry."""
        entry = stored.entry
        scores = entry.scores.get(self.protocol, {})
        return Row(
            kind=RowKind.PEOPLE if entry.people else RowKind.REPRODUCED,
            method=entry.method,
            samples=entry.sample_count,
            marks=entry.marks,
            figures={name: self._figure(stored, name, scores[name]) for name in self.columns if name in scores},
            cost=costs(entry),
            cells=(len(entry.finished), len(entry.cells)),
            failures=entry.failures,
            newest=stored.id in self.newest,
            stored=stored,
        )

    def _figure(self, stored: Stored, name: str, score: Score) -> Figure:
        return Figure(
            mean=score.mean,
            sd=score.sd,
            folds=len(score.folds),
            low=score.low,
            high=score.high,
            no_interval=score.no_interval,
            by_rater=score.by_rater,
            letters=self.tied[name].letters.get(stored.id, ""),
            best=stored.id in self.tied[name].best,
            above_raters=self._above(stored, name, score),
            recomputable=self.digests.get(name) == score.definition,
        )

    def _above(self, stored: Stored, name: str, score: Score) -> bool:
        """Only a figure of the same definition, folds and, for metrics of samples, S can be above another."""
        bound = self.agreement.entry.scores.get(self.protocol, {}).get(name) if self.agreement else None
        if self.agreement is None or bound is None or stored.entry.people:
            return False
        facts = self.columns[name]
        if _setting(stored.entry, score, facts) != _setting(self.agreement.entry, bound, facts):
            return False
        gain = {Direction.HIGHER: 1, Direction.LOWER: -1, Direction.NEITHER: 0}[facts.direction]
        return gain * (score.mean - bound.mean) > TIE


def _setting(entry: Entry, score: Score, facts: MetricFacts) -> tuple[object, ...]:
    samples = entry.sample_count if facts.needs is Need.SAMPLES else None
    return score.definition, sorted(score.folds), samples


def costs(entry: Entry) -> dict[str, float]:
    """Means over the cells that had the device to themselves, by the names in ``COSTS``."""
    found: dict[str, list[float]] = {}
    for cell in entry.finished if entry.kind != "external" else ():
        for name, value in (_cost(cell) if cell.alone else {}).items():
            if value is not None:
                found.setdefault(name, []).append(float(value))
    return {name: fmean(found[name]) for name in COSTS if name in found}


def _cost(cell: CellEntry) -> dict[str, float | None]:
    fit = cell.phases.get("fit") if cell.trained_alone else None
    predict = cell.phases.get("predict")
    return {
        "train s": fit.seconds if fit else None,
        "predict s": predict.seconds if predict else None,
        "ms/image": cell.milliseconds_per_image,
        "peak MiB": max((phase.peak_memory_mib for phase in cell.phases.values()), default=None),
        "parameters": cell.parameters,
    }


def age(stored: Stored) -> tuple[str, str]:
    """Orders entries from the oldest to the newest."""
    return stored.entry.written, stored.id


def ordered(rows: Iterable[Row], columns: Mapping[str, MetricFacts]) -> list[Row]:
    """Methods before people, newest before history, complete before failed, then by the first column, best first."""
    first = next(iter(columns), "")
    sign = -1 if first and columns[first].direction is Direction.HIGHER else 1

    def place(row: Row) -> tuple[bool, bool, bool, bool, float, str, str]:
        value = row.figures[first].mean if first in row.figures else 0.0
        failed, people = row.cells[0] < row.cells[1], row.kind is RowKind.PEOPLE
        return people, not row.newest, failed, first not in row.figures, sign * value, row.method, row.id

    return sorted(rows, key=place)
