"""What each scoring switch moves, on the same predictions: no model, no image and no mask is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mrbench.compare.operands import MethodCells, Operand
from mrbench.compare.paired_tests import TIE
from mrbench.compare.scores import chosen_metrics
from mrbench.compare.switches import Switch
from mrbench.engine.cases import cell_scores
from mrbench.engine.score import metrics_json
from mrbench.engine.summary import over_folds
from mrbench.errors import IncompatibleError, UsageError
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.metrics.scoring import CaseScores, Summary, reduce_fold
from mrbench.records import Direction, MetricRecord, Need
from mrbench.registry import Plugin, Registry


@dataclass(frozen=True)
class Move:
    """What one switch does to one value.

    Attributes:
        change: of the mean over folds (of their standard deviation for the switch of the spread); None where the
            switch leaves the value as it is.
        missing: the metric has no value under the switch.
        ranks: before and after, where they differ.
    """

    change: float | None = None
    missing: bool = False
    ranks: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class MoveRow:
    """One method: its value under ``strict``, and the move of each switch by name."""

    method: MethodCells
    strict: Summary
    moves: Mapping[str, Move]


@dataclass(frozen=True, eq=False)
class MoveTable:
    """One metric: a row for each method that has it."""

    metric: str
    record: MetricRecord
    rows: Sequence[MoveRow]


@dataclass(frozen=True, eq=False)
class DatasetMoves:
    """The tables of one data set.

    Attributes:
        methods: that have a finished cell.
        faults: what metrics did wrong.
    """

    dataset: str
    methods: Sequence[MethodCells]
    tables: Sequence[MoveTable]
    faults: Sequence[str]


def moves(
    operand: Operand, registry: Registry, switches: Sequence[Switch], only: tuple[str, ...] = ()
) -> list[DatasetMoves]:
    """For each data set and metric, how far each switch alone moves each method from ``strict``.

    Args:
        only: metrics to show; empty: those meant for tables.

    Raises:
        UnknownNameError: a metric that is not installed.
        UsageError: more samples asked for than any method has.
        IncompatibleError: no cell is finished.
        DataError, IncompatibleError: a cell that cannot be read or scored.
    """
    by_dataset = {dataset: [row for row in operand.rows(dataset) if row.done] for dataset in operand.datasets}
    _check_samples([row for rows in by_dataset.values() for row in rows], switches, operand)
    return [_dataset(name, rows, registry, switches, only) for name, rows in by_dataset.items() if rows]


def _check_samples(rows: Sequence[MethodCells], switches: Sequence[Switch], operand: Operand) -> None:
    if not rows:
        raise IncompatibleError(f"{operand.title} has no finished cell", hint="the same mrbench run continues it")
    most = max(row.samples or 0 for row in rows)
    for switch in switches:
        if switch.samples is not None and switch.samples > most:
            raise UsageError(
                f"no method of {operand.title} has {switch.samples} samples",
                expected=f"--samples of at most {most}",
                hint=f"mrbench run --samples {switch.samples} draws more",
            )


def _dataset(
    name: str, rows: Sequence[MethodCells], registry: Registry, switches: Sequence[Switch], only: tuple[str, ...]
) -> DatasetMoves:
    metrics = chosen_metrics(registry, rows[0], only)
    scored = [_Scored.of(row, metrics, switches) for row in rows]
    tables = [_table(metric, plugin.record, scored, switches) for metric, plugin in metrics.items()]
    faults = dict.fromkeys(fault for one in scored for fault in one.faults)
    return DatasetMoves(name, rows, [table for table in tables if table.rows], tuple(faults))


@dataclass(frozen=True, eq=False)
class _Scored:
    """One method under ``strict`` and under each switch: summaries by switch and metric; what metrics did wrong."""

    row: MethodCells
    strict: Mapping[str, Summary]
    switched: Mapping[str, Mapping[str, Summary]]
    faults: Sequence[str]

    @property
    def name(self) -> str:
        """The method: one row of a table has it."""
        return self.row.method

    def folds(self, switch: Switch, metric: str) -> int:
        """From how many folds the metric has a value under a switch."""
        found = self.switched[switch.name].get(metric)
        return found.n if found else 0

    @classmethod
    def of(cls, row: MethodCells, metrics: Mapping[str, Plugin[Any]], switches: Sequence[Switch]) -> "_Scored":
        scorer = _Scorer(row, metrics)
        strict = scorer.cases(STRICT)
        switched = {}
        for switch in switches:
            cases = strict if switch.keeps_cases else scorer.cases(switch.protocol, switch.samples)
            switched[switch.name] = scorer.summaries(cases, switch.protocol)
        faults = dict.fromkeys(scorer.faults)
        return cls(row, scorer.summaries(strict, STRICT), switched, tuple(faults))


class _Scorer:
    """Scores the cells of one method, again and again."""

    def __init__(self, row: MethodCells, metrics: Mapping[str, Plugin[Any]]) -> None:
        self.row, self.metrics = row, metrics
        self.loaded: dict[str, Metric] = {name: plugin.load()() for name, plugin in metrics.items()}
        self.faults: list[str] = []

    def cases(self, protocol: ScoringProtocol, samples: int | None = None) -> list[CaseScores]:
        """The scores of every finished cell; sample metrics are left out where it has fewer samples."""
        too_few = samples is not None and samples > (self.row.samples or 0)
        metrics = {n: p for n, p in self.metrics.items() if not (too_few and p.record.needs is Need.SAMPLES)}
        found = []
        for result in self.row.done:
            assert result.record is not None
            folder = result.spec.folder(self.row.run.results)
            stored = cell_scores(folder, result.record, metrics, protocol, samples=None if too_few else samples)
            self.faults += stored.faults.values()
            found.append(stored.cases)
        return found

    def summaries(self, cells: Sequence[CaseScores], protocol: ScoringProtocol) -> dict[str, Summary]:
        """Mean and spread over the folds, by metric."""
        specs = [result.spec for result in self.row.done]
        values = [metrics_json(reduce_fold(cases, self.loaded, protocol)) for cases in cells]
        names = dict.fromkeys(name for own in values for name in own)
        return {name: over_folds(name, list(zip(specs, values, strict=True)), protocol) for name in names}


def _table(name: str, record: MetricRecord, scored: Sequence[_Scored], switches: Sequence[Switch]) -> MoveTable:
    having = [one for one in scored if name in one.strict]
    by_switch = {switch.name: _column(having, name, record, switch) for switch in switches}
    rows = [
        MoveRow(one.row, one.strict[name], {switch: column[one.name] for switch, column in by_switch.items()})
        for one in having
    ]
    return MoveTable(name, record, rows)


def _column(scored: Sequence[_Scored], name: str, record: MetricRecord, switch: Switch) -> dict[str, Move]:
    # A value of fewer folds than before, because the metric failed on one, is no value to compare.
    having = [one for one in scored if one.folds(switch, name) == one.strict[name].n]
    after = {one.name: one.switched[switch.name][name] for one in having}
    before = {one.name: one.strict[name] for one in having}
    ranks = (_ranks(having, record, before), _ranks(having, record, after))
    moves = {
        one: Move(_change(before[one], after[one], switch.spread), ranks=_changed(*(own.get(one) for own in ranks)))
        for one in after
    }
    return {one.name: moves.get(one.name, Move(missing=True)) for one in scored}


def _change(before: Summary, after: Summary, spread: bool) -> float | None:
    change = (after.sd or 0.0) - (before.sd or 0.0) if spread else after.mean - before.mean
    return change if abs(change) > TIE else None


def _changed(before: int | None, after: int | None) -> tuple[int, int] | None:
    return (before, after) if before and after and before != after else None


def _ranks(scored: Sequence[_Scored], record: MetricRecord, values: Mapping[str, Summary]) -> dict[str, int]:
    # As the tables rank: complete rows that do not see the test masks, for sample metrics among equal S.
    sign = {Direction.HIGHER: 1, Direction.LOWER: -1, Direction.NEITHER: 0}[record.direction]
    ranked = [one for one in scored if sign and one.row.ranked]
    ranks = {}
    for one in ranked:
        rivals = [other for other in ranked if record.needs is not Need.SAMPLES or other.row.samples == one.row.samples]
        ahead = [other for other in rivals if sign * (values[other.name].mean - values[one.name].mean) > TIE]
        ranks[one.name] = 1 + len(ahead)
    return ranks
