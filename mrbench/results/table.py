"""A table: method runs by metrics on one data set under one scoring protocol.

Whatever shows results renders a table and computes nothing: means and spreads, who is the best, who is tied, counts and
caveats are decided here, once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from math import nan
from statistics import fmean
from typing import TYPE_CHECKING, Any

from mrbench.cards import Need
from mrbench.digests import digest_json
from mrbench.engine.conditions import Conditions
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import MetricValue, reduce_dataset
from mrbench.results.caveats import caveat_lines
from mrbench.results.columns import COSTS, Column, gain
from mrbench.results.method_run import MethodRun
from mrbench.statistics.equality import TIE
from mrbench.statistics.interval import Interval

if TYPE_CHECKING:
    import pandas as pd

    from mrbench.results.readers import ReaderMark


class RowKind(StrEnum):
    """What a row is."""

    METHOD = "reproduced"
    """A method, computed by mrbench."""
    EXTERNAL = "external"
    """Predictions made elsewhere, scored by mrbench: a class of their own; never ranked."""
    HUMAN = "people"
    """A reference made of the raters' own masks, computed by mrbench; never ranked."""
    REPORTED = "reported"
    """Copied from a paper: no cells, no cases, never ranked."""

    @property
    def place(self) -> int:
        """Its place among the kinds, in the order in which tables show them."""
        return list(RowKind).index(self)


KINDS = {
    RowKind.METHOD: "",
    RowKind.EXTERNAL: "External predictions: nobody knows what they were made from; never ranked",
    RowKind.HUMAN: "Human references: they see the masks that they are scored on, and are never ranked",
    RowKind.REPORTED: "Reported only: copied from papers, never computed here, never ranked",
}
"""What stands above the rows of a kind; the first needs nothing."""


@dataclass(frozen=True)
class Value:
    """One value of a table.

    Attributes:
        mean: over the folds; seeds of a fold are averaged first.
        sd: standard deviation over the folds; None where there is one fold.
        folds: value by fold; empty where a paper does not say.
        of_folds: how many folds were planned.
        cases: that have a value, over all folds, of the seed that has the fewest.
        of_cases: to which the metric applies.
        subjects: that have a value; None where it was not counted.
        by_class, by_rater: means over the folds.
        interval: None where there is none, or none was asked for.
        no_interval: why there is none, where one was asked for.
        definition: digest of the scoring protocol and the metric's definition; empty: those that are installed.
        best: is it the best of its column, whatever it may be ranked with?
        letters: of its tie groups: rows that share one are not told apart; blank where none were asked for.
    """

    mean: float
    sd: float | None = None
    folds: Mapping[int, float] = field(default_factory=dict)
    of_folds: int = 0
    cases: int = 0
    of_cases: int = 0
    subjects: int | None = None
    by_class: Mapping[int, float] = field(default_factory=dict)
    by_rater: Mapping[int, float] = field(default_factory=dict)
    interval: Interval | None = None
    no_interval: str = ""
    definition: str = ""
    best: bool = False
    letters: str = ""

    @property
    def complete(self) -> bool:
        """Does it cover all folds and cases that it should?"""
        return len(self.folds) >= self.of_folds and self.cases >= self.of_cases

    @property
    def count(self) -> str:
        """What it covers, where that is not everything; else blank."""
        if self.cases < self.of_cases:
            return f"n {self.cases}/{self.of_cases}"
        return "" if self.complete else f"folds {len(self.folds)}/{self.of_folds}"


def values_of(
    cells: Iterable[tuple[int, Mapping[str, MetricValue]]], of_folds: int, protocol: ScoringProtocol
) -> dict[str, Value]:
    """Every metric's value over the folds, of those that a cell has.

    Args:
        cells: the fold and the values of each finished cell.
        of_folds: how many folds were planned.
        protocol: says which standard deviation.
    """
    found: dict[str, dict[int, list[MetricValue]]] = {}
    tested: dict[int, int] = {}
    finished = Counter[int]()
    for fold, metrics in cells:
        finished[fold] += 1
        tested[fold] = max([tested.get(fold, 0), *(value.of_cases for value in metrics.values())])
        for name, value in metrics.items():
            found.setdefault(name, {}).setdefault(fold, []).append(value)
    return {name: over_folds(own, of_folds, protocol, tested, finished) for name, own in found.items()}


def over_folds(
    values: Mapping[int, Sequence[MetricValue]],
    of_folds: int,
    protocol: ScoringProtocol,
    tested: Mapping[int, int] | None = None,
    finished: Mapping[int, int] | None = None,
) -> Value:
    """A metric's value from those of its folds.

    Args:
        values: by fold, the value of each seed; at least one.
        of_folds: how many folds were planned.
        protocol: says which standard deviation.
        tested: cases of every finished fold, with those in which the metric has no value at all.
        finished: cells of every fold; where the metric lacks its value of some of their seeds, no case is covered.
    """
    # Seeds of one fold are repetitions of one measurement: they are averaged before the spread over folds is taken.
    folds = {fold: fmean(one.value for one in values[fold]) for fold in sorted(values)}
    summary = reduce_dataset(list(folds.values()), protocol)
    least = [min(values[fold], key=lambda one: one.n_cases - one.of_cases) for fold in folds]
    return Value(
        mean=summary.mean,
        sd=summary.sd,
        folds=folds,
        of_folds=of_folds,
        cases=sum(
            one.n_cases
            for fold, one in zip(folds, least, strict=True)
            if len(values[fold]) >= (finished or {}).get(fold, 0)
        ),
        of_cases=sum(one.of_cases for one in least)
        + sum(cases for fold, cases in (tested or {}).items() if fold not in folds),
        by_class=_places([[one.by_class for one in values[fold]] for fold in folds]),
        by_rater=_places([[one.by_rater for one in values[fold]] for fold in folds]),
    )


def _places(folds: Sequence[Sequence[Mapping[int, float]]]) -> dict[int, float]:
    """Means over the seeds of a fold, then over the folds that have the place."""
    found: dict[int, list[float]] = {}
    for seeds in folds:
        for place in dict.fromkeys(place for own in seeds for place in own):
            found.setdefault(place, []).append(fmean(own[place] for own in seeds if place in own))
    return {place: fmean(found[place]) for place in sorted(found)}


@dataclass(frozen=True)
class Reported:
    """Where a reported row comes from.

    Attributes:
        method: its name in the paper.
        source, table: the paper and its table.
        split: what the paper trained and tested on, in a word.
        conditions: of its trainings, as far as the paper says.
        notes: of whoever copied it.
    """

    method: str
    source: str
    table: str
    split: str
    conditions: Conditions
    notes: tuple[str, ...]

    @property
    def setting(self) -> list[str]:
        """What the paper did, a phrase each."""
        present = self.conditions.presence
        return [f"split {self.split}", *([present] if present else [])]


@dataclass(frozen=True, eq=False)
class Row:
    """A row of a table.

    Attributes:
        label: tells it from the other rows; the method's registry key where that does.
        kind: what it is.
        values: by metric; what does not apply is not there.
        samples: S; 1 for a single output, None where the method gives no sample set or a paper does not say.
        caveats: what a reader must know before comparing, a phrase each.
        costs: means over the cells, by the names of ``results.columns.COSTS``.
        cells: finished and planned; (0, 0) of a reported row.
        failed: how many trainings learned nothing: no pixel that they predict lies on any rater's mask.
        failures: why cells did not finish, what they warn of and what metrics did wrong, a line each.
        run: None of a reported row, and of a human reference that no run computed.
        reported: None of all others.
        newest: is it the newest of its method with its options in this table? Older ones are history, never ranked.
        summary: one line on what it is, of a human reference that no run computed.
        reader_marks: beside another reader on equal terms, by the metric of the construction; empty where none were
            asked for.
    """

    label: str
    kind: RowKind
    values: Mapping[str, Value]
    samples: int | None = None
    caveats: tuple[str, ...] = ()
    costs: Mapping[str, float] = field(default_factory=dict)
    cells: tuple[int, int] = (0, 0)
    failed: int = 0
    failures: tuple[str, ...] = ()
    run: MethodRun | None = None
    reported: Reported | None = None
    newest: bool = True
    summary: str = ""
    reader_marks: Mapping[str, "ReaderMark"] = field(default_factory=dict)

    @classmethod
    def of(cls, run: MethodRun, values: Mapping[str, Value], faults: Iterable[str] = ()) -> "Row":
        """The row of a method run.

        Args:
            faults: what metrics did wrong.
        """
        return cls(
            label=run.method,
            kind=_kind(run),
            values=values,
            samples=run.samples,
            caveats=run.caveats,
            costs=run.costs,
            cells=run.cells,
            failed=run.failed_trainings,
            failures=tuple(dict.fromkeys([*run.failures, *run.warnings, *faults])),
            run=run,
        )

    @property
    def method(self) -> str:
        """The method's registry key; of a reported row, its name in the paper."""
        named = self.run or self.reported
        return named.method if named else self.label

    @property
    def human(self) -> bool:
        """Is it made of the raters' own masks?"""
        return self.kind is RowKind.HUMAN

    @property
    def id(self) -> str:
        """The id of the entry that it was packed with; empty where it was not."""
        return self.run.id if self.run else ""

    @property
    def complete(self) -> bool:
        """Did all of its cells finish?"""
        return self.cells[0] == self.cells[1]


def _kind(run: MethodRun) -> RowKind:
    if run.human:
        return RowKind.HUMAN
    return RowKind.EXTERNAL if run.spec.kind == "external" else RowKind.METHOD


@dataclass(frozen=True, eq=False)
class Table:
    """Rows that were computed on the same cases under one scoring protocol.

    Attributes:
        description: what the data set declares.
        changed: options of the data set that were set.
        protocol: name of the scoring protocol.
        columns: what each metric says of itself, in the order of the table.
        notes: what was not computed, and why.
    """

    dataset: str
    description: Mapping[str, Any]
    changed: Mapping[str, Any]
    protocol: str
    columns: Mapping[str, Column]
    rows: Sequence[Row]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        rows = ", ".join(row.label for row in self.rows)
        return f"<Table {self.dataset}, {self.protocol}: {rows}; {', '.join(self.columns)}>"

    @cached_property
    def tested_on(self) -> tuple[str, str, str]:
        """Data digest, split and split digest that all computed rows share; blank where all are reported."""
        spec = next((row.run.spec.tested for row in self.rows if row.run), None)
        return (spec.data_digest, spec.split, spec.split_digest) if spec else ("", "", "")

    @property
    def key(self) -> str:
        """Short, unique among the tables of a data set, safe in an address and in a file's name."""
        same = digest_json(list(self.tested_on))[:24] if self.tested_on[0] else "reported"
        return f"{self.protocol}-{same}"

    @property
    def current(self) -> list[Row]:
        """The rows that are no history."""
        return [row for row in self.rows if row.newest]

    def caveat_lines(self) -> Iterator[str]:
        """For each caveat, what it means and which rows have it."""
        return caveat_lines((row.label, row.caveats) for row in self.rows if row.run)

    def to_pandas(self) -> "pd.DataFrame":
        """The table as a frame: a row per label; columns by metric and statistic, costs under ``cost``.

        Statistics are ``mean``, ``sd``, ``folds`` and ``of_folds`` (planned), ``cases`` and ``of`` (that it should
        cover), ``low``, ``high``, ``best`` and ``letters``; what does not apply is missing, is not the best and has no
        letters. Under ``row`` stand ``S``,
        ``kind``, ``finished``, ``planned``, ``failed`` (trainings that learned nothing), ``caveats`` and ``digest`` (of
        the predictions), under ``option`` the methods' options, and under ``reader``, where marks beside another reader
        were asked for, ``METRIC.difference``, ``.low``, ``.high``, ``.margin``, ``.standing`` and ``.reason`` of each
        construction.
        """
        import pandas as pd

        found = [_frame_row(row, self.columns) for row in self.rows]
        groups = ["row", *self.columns, "reader", "cost", "option"]
        costs = {("cost", cost.name): number for number, cost in enumerate(COSTS)}
        places = dict.fromkeys(place for own in found for place in own)
        columns = sorted(places, key=lambda at: (groups.index(at[0]), costs.get(at, 0)))
        absent = {(name, statistic): value for name in self.columns for statistic, value in ABSENT.items()}
        data = {place: [own.get(place, absent.get(place)) for own in found] for place in columns}
        index = pd.Index([row.label for row in self.rows], name="method")
        frame = pd.DataFrame(data, index=index, columns=pd.MultiIndex.from_tuples(columns, names=(None, None)))
        frame.attrs = {"dataset": self.dataset, "protocol": self.protocol}
        return frame


ABSENT = {"best": False, "letters": ""}
"""Statistics of a value that a row does not have, where they are no missing numbers: a frame is filtered by them."""


def _frame_row(row: Row, columns: Iterable[str]) -> dict[tuple[str, str], Any]:
    spec = row.run.spec if row.run else None
    found: dict[tuple[str, str], Any] = {
        ("row", "kind"): row.kind.value,
        ("row", "S"): row.samples,
        ("row", "finished"): row.cells[0],
        ("row", "planned"): row.cells[1],
        ("row", "failed"): row.failed,
        ("row", "caveats"): "; ".join(row.caveats),
        ("row", "digest"): row.run.digest if row.run else "",
    }
    for name in columns:
        if value := row.values.get(name):
            found |= {(name, statistic): own for statistic, own in _statistics(value).items()}
    for name, mark in row.reader_marks.items():
        found |= {("reader", f"{name}.{fact}"): own for fact, own in mark.facts.items()}
    found |= {("cost", cost.name): row.costs[cost.name] for cost in COSTS if cost.name in row.costs}
    return found | {("option", name): option for name, option in (spec.options if spec else {}).items()}


def _statistics(value: Value) -> dict[str, Any]:
    interval = value.interval
    return {
        "mean": value.mean,
        "sd": nan if value.sd is None else value.sd,
        "folds": len(value.folds),
        "of_folds": value.of_folds,
        "cases": value.cases,
        "of": value.of_cases,
        "low": interval.low if interval else nan,
        "high": interval.high if interval else nan,
        "best": value.best,
        "letters": value.letters,
    }


def with_labels(rows: Sequence[Row]) -> list[Row]:
    """The rows, labelled so that no two have one label: by S, by where they come from, by caveats, by number."""
    labels = [row.label for row in rows]
    for part in (_samples, _origin, _caveats):
        counts = Counter(labels)
        parts = [part(row) if counts[label] > 1 else "" for row, label in zip(rows, labels, strict=True)]
        told = Counter(label for label, _ in {*zip(labels, parts, strict=True)})
        labels = [f"{label}, {p}" if p and told[label] > 1 else label for label, p in zip(labels, parts, strict=True)]
    counts = Counter(labels)
    unique = [label if counts[label] == 1 else f"{label} ({n})" for n, label in enumerate(labels, 1)]
    return [replace(row, label=label) for row, label in zip(rows, unique, strict=True)]


def _samples(row: Row) -> str:
    return "" if row.samples is None else f"S {row.samples}"


def _origin(row: Row) -> str:
    return row.run.origin if row.run else ", ".join(row.reported.setting) if row.reported else ""


def _caveats(row: Row) -> str:
    return ", ".join(row.caveats)


def measured(row: Row, name: str, column: Column) -> tuple[object, ...] | None:
    """Equal where the values of two rows measure the same; None where a row has no value that covers all it should.

    They are of the same definition, test cases, folds, classes and raters; for metrics of samples also of the same S.
    """
    value = row.values.get(name)
    if value is None or row.run is None or not value.complete:
        return None
    samples = row.samples if column.needs is Need.SAMPLES else None
    places = (tuple(sorted(own)) for own in (value.folds, value.by_class, value.by_rater))
    return samples, value.definition, *places, *row.run.tested


def comparable(rows: Sequence[Row], name: str, column: Column) -> list[list[int]]:
    """Places of two or more rows that may be ranked with each other by a metric, best first.

    Those that are complete, newest and no human references, with values that measure the same.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, row in enumerate(rows if gain(column) else ()):
        key = measured(row, name, column) if row.newest and row.run and row.run.ranked else None
        if key:
            groups.setdefault(key, []).append(place)
    sign = gain(column)
    return [
        sorted(group, key=lambda place: (-sign * rows[place].values[name].mean, rows[place].id))
        for group in groups.values()
        if len(group) > 1
    ]


def with_best(rows: Sequence[Row], columns: Mapping[str, Column]) -> list[Row]:
    """The rows with ``best`` set where a value is the best of those that it may be ranked with, and none of the same
    cases is better at another S; ties share it."""
    best: dict[int, dict[str, dict[str, bool]]] = {}
    for name, column in columns.items():
        sign, top = gain(column), _top(rows, name, column)
        for group in comparable(rows, name, column):
            first = rows[group[0]]
            if top[_but_samples(first, name, column)] - sign * first.values[name].mean > TIE:
                continue
            for place in group:
                if abs(rows[place].values[name].mean - first.values[name].mean) <= TIE:
                    best.setdefault(place, {})[name] = {"best": True}
    return changed_values(rows, best)


def _top(rows: Sequence[Row], name: str, column: Column) -> dict[object, float]:
    """The best of the rows of methods that differ by no more than S, by what they have in common; higher is better."""
    found: dict[object, float] = {}
    for row in rows:
        key = _but_samples(row, name, column) if row.newest and row.run and row.run.ranked else None
        if key:
            value = gain(column) * row.values[name].mean
            found[key] = max(found.get(key, value), value)
    return found


def _but_samples(row: Row, name: str, column: Column) -> tuple[object, ...] | None:
    key = measured(row, name, column)
    return key and key[1:]


def changed_values(rows: Sequence[Row], changes: Mapping[int, Mapping[str, Mapping[str, Any]]]) -> list[Row]:
    """The rows with other fields of some values, by place and metric."""
    return [_changed(row, changes[place]) if place in changes else row for place, row in enumerate(rows)]


def _changed(row: Row, changes: Mapping[str, Mapping[str, Any]]) -> Row:
    return replace(row, values={**row.values, **{n: replace(row.values[n], **own) for n, own in changes.items()}})
