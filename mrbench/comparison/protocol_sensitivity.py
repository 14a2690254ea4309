"""What each scoring variant shifts, on the same predictions: no model, no image and no mask is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mrbench.cards import Need
from mrbench.comparison.protocol_variants import Variant
from mrbench.comparison.selection import Operand
from mrbench.errors import DataError, IncompatibleError, UsageError
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.metrics.scores import Scores
from mrbench.metrics.scoring import reduce_fold
from mrbench.registry import Plugin, Registry
from mrbench.results.columns import Column, gain
from mrbench.results.method_run import MethodRun
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Row, Value, comparable, values_of
from mrbench.statistics.equality import TIE


@dataclass(frozen=True)
class Shift:
    """What one variant does to one value.

    Attributes:
        change: of the mean over folds (of their standard deviation for the variant of the spread); None where the
            variant leaves the value as it is.
        missing: the metric has no value under the variant.
        ranks: before and after, where they differ.
    """

    change: float | None = None
    missing: bool = False
    ranks: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class SensitivityTable:
    """One metric.

    Attributes:
        rows: under ``strict``, one for each method that has the metric.
        shifts: of each variant by name, in the order of the rows.
    """

    metric: str
    column: Column
    rows: Sequence[Row]
    shifts: Mapping[str, Sequence[Shift]]


@dataclass(frozen=True, eq=False)
class DatasetSensitivity:
    """The tables of one data set.

    Attributes:
        methods: the method runs that have a finished cell.
        faults: what metrics did wrong.
    """

    dataset: str
    methods: Sequence[MethodRun]
    tables: Sequence[SensitivityTable]
    faults: Sequence[str]


def sensitivity(
    operand: Operand, registry: Registry, variants: Sequence[Variant], only: tuple[str, ...] = ()
) -> list[DatasetSensitivity]:
    """For each data set and metric, how far each variant alone shifts each method from ``strict``.

    Args:
        only: metrics to show; empty: those meant for tables.

    Raises:
        UnknownNameError: a metric that is not installed.
        UsageError: more samples asked for than any method has.
        IncompatibleError: no cell is finished.
        IncompatibleError: scores that cannot be had under a variant.
    """
    by_dataset = {dataset: [row for row in operand.runs(dataset) if row.done] for dataset in operand.datasets}
    _check_samples([row for rows in by_dataset.values() for row in rows], variants, operand)
    return [_dataset(name, rows, registry, variants, only) for name, rows in by_dataset.items() if rows]


def _check_samples(rows: Sequence[MethodRun], variants: Sequence[Variant], operand: Operand) -> None:
    if not rows:
        raise IncompatibleError(f"{operand.title} has no finished cell", hint="the same mrbench run continues it")
    most = max(row.samples or 0 for row in rows)
    for variant in variants:
        if variant.samples is not None and variant.samples > most:
            raise UsageError(
                f"no method of {operand.title} has {variant.samples} samples",
                expected=f"--samples of at most {most}",
                hint=f"mrbench run --samples {variant.samples} draws more",
            )


def _dataset(
    name: str, runs: Sequence[MethodRun], registry: Registry, variants: Sequence[Variant], only: tuple[str, ...]
) -> DatasetSensitivity:
    metrics = ScoreReader(registry, STRICT, only).metrics(runs[0])
    scored = [_Scored.of(run, metrics, variants) for run in runs]
    tables = [_table(metric, plugin.card, scored, variants) for metric, plugin in metrics.items()]
    faults = dict.fromkeys(fault for one in scored for fault in one.faults)
    read = [one.strict.run or run for one, run in zip(scored, runs, strict=True)]
    return DatasetSensitivity(name, read, [table for table in tables if table.rows], tuple(faults))


@dataclass(frozen=True, eq=False)
class _Scored:
    """One method run under ``strict`` and, by its name, under each variant; what metrics did wrong."""

    strict: Row
    varied: Mapping[str, Row]
    faults: Sequence[str]

    @classmethod
    def of(cls, run: MethodRun, metrics: Mapping[str, Plugin[Any]], variants: Sequence[Variant]) -> "_Scored":
        scorer = _Scorer(run, metrics)
        strict = scorer.cases(STRICT)
        varied = {
            variant.name: strict if variant.keeps_cases else scorer.cases(variant.protocol, variant.samples)
            for variant in variants
        }
        rows = {variant.name: scorer.row(varied[variant.name], variant.protocol) for variant in variants}
        return cls(scorer.row(strict, STRICT), rows, tuple(dict.fromkeys(scorer.faults)))


class _Scorer:
    """Scores the cells of one method run, again and again.

    Attributes:
        errors: of the cells that cannot be read, by place; they are in no row.
    """

    def __init__(self, run: MethodRun, metrics: Mapping[str, Plugin[Any]]) -> None:
        self.run, self.metrics = run, metrics
        self.loaded: dict[str, Metric] = {name: plugin.load() for name, plugin in metrics.items()}
        self.faults: list[str] = []
        self.errors: dict[int, DataError] = {}

    def cases(self, protocol: ScoringProtocol, samples: int | None = None) -> dict[int, Scores]:
        """The scores of the finished cells by place; sample metrics are left out where it has fewer samples."""
        too_few = samples is not None and samples > (self.run.samples or 0)
        metrics = {n: p for n, p in self.metrics.items() if not (too_few and p.card.needs is Need.SAMPLES)}
        found = {}
        for place, result in self.run.finished:
            try:
                stored = result.scores(metrics, protocol, None if too_few else samples)
            except DataError as error:
                self.errors[place] = error
                continue
            self.faults += stored.faults.values()
            found[place] = stored.cases
        return found

    def row(self, cells: Mapping[int, Scores], protocol: ScoringProtocol) -> Row:
        """The row under a protocol, of the cells that could be read every time."""
        values = [
            (self.run.results[place].spec.fold, reduce_fold(own, self.loaded, protocol))
            for place, own in cells.items()
            if place not in self.errors
        ]
        return Row.of(self.run.with_damaged(self.errors), values_of(values, len(self.run.folds), protocol))


def _table(name: str, column: Column, scored: Sequence[_Scored], variants: Sequence[Variant]) -> SensitivityTable:
    having = [one for one in scored if name in one.strict.values]
    before = [one.strict for one in having]
    shifts = {
        variant.name: _shifts(before, [one.varied[variant.name] for one in having], name, column, variant)
        for variant in variants
    }
    return SensitivityTable(name, column, before, shifts)


def _shifts(before: Sequence[Row], after: Sequence[Row], name: str, column: Column, variant: Variant) -> list[Shift]:
    # A value of fewer folds than before, because the metric failed on one, is no value to compare.
    whole = [
        name in new.values and len(new.values[name].folds) == len(old.values[name].folds)
        for old, new in zip(before, after, strict=True)
    ]
    kept = [place for place, is_whole in enumerate(whole) if is_whole]
    ranks = [_ranks([rows[place] for place in kept], name, column) for rows in (before, after)]
    shifts = [Shift(missing=True)] * len(before)
    for number, place in enumerate(kept):
        change = _change(before[place].values[name], after[place].values[name], variant.spread)
        shifts[place] = Shift(change, ranks=_changed(*(own.get(number) for own in ranks)))
    return shifts


def _change(before: Value, after: Value, spread: bool) -> float | None:
    change = (after.sd or 0.0) - (before.sd or 0.0) if spread else after.mean - before.mean
    return change if abs(change) > TIE else None


def _changed(before: int | None, after: int | None) -> tuple[int, int] | None:
    return (before, after) if before and after and before != after else None


def _ranks(rows: Sequence[Row], name: str, column: Column) -> dict[int, int]:
    """The rank of each place, 1 the best, among those that may be ranked with each other; ties share it."""
    found, sign = {}, gain(column)
    for group in comparable(rows, name, column):
        means = {place: sign * rows[place].values[name].mean for place in group}
        for place, own in means.items():
            found[place] = 1 + sum(other - own > TIE for other in means.values())
    return found
