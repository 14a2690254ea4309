"""The table of methods: what each has, and the letters of those that the data cannot tell apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.compare.differences import Comparison, Difference
from mrbench.compare.operands import MethodCells
from mrbench.compare.paired_tests import LEVEL, TIE
from mrbench.compare.scores import ScoreReader
from mrbench.metrics.scoring import Summary
from mrbench.records import Direction, MetricRecord, Need
from mrbench.statistics.bootstrap import fold_values
from mrbench.statistics.groups import letters
from mrbench.statistics.subjects import subject_table


@dataclass(frozen=True, eq=False)
class MethodTable:
    """Methods of one data set.

    Attributes:
        metrics: records of those that a row has.
        values: of each metric, mean and spread over folds by row; None where a row has none.
        letters: of each metric by row; blank where the row is not ranked or stands alone, and where
            two that differ have no p.
    """

    dataset: str
    rows: Sequence[MethodCells]
    metrics: Mapping[str, MetricRecord]
    values: Mapping[str, Sequence[Summary | None]]
    letters: Mapping[str, Sequence[str]]

    @property
    def labels(self) -> list[str]:
        """The methods, with their run where two have one name."""
        names = [row.method for row in self.rows]
        return [row.method if names.count(row.method) == 1 else f"{row.method}, run {row.run.id}" for row in self.rows]


def method_tables(comparisons: Sequence[Comparison], reader: ScoreReader, test: str) -> list[MethodTable]:
    """A table per data set, of all rows of the comparisons.

    Two methods share a letter where the test tells them apart in no direction at 5 %, corrected; rows that see the test
    masks or miss cells have none, and sample metrics are compared among equal S only.
    """
    rows: dict[str, list[MethodCells]] = {}
    for comparison in comparisons:
        own = rows.setdefault(comparison.a.dataset, [])
        own += [row for row in (comparison.a, comparison.b) if row not in own]
    return [_table(dataset, found, comparisons, reader, test) for dataset, found in rows.items()]


def _table(
    dataset: str, rows: Sequence[MethodCells], comparisons: Sequence[Comparison], reader: ScoreReader, test: str
) -> MethodTable:
    records = reader.records(rows[0])
    values = {name: [summary_of(row, name, reader) for row in rows] for name in records}
    shown = {name: record for name, record in records.items() if any(values[name])}
    tested = {(id(c.a), id(c.b), found.metric): found for c in comparisons for found in c.differences}
    found = {name: _letters(record, name, rows, values[name], tested, test) for name, record in shown.items()}
    return MethodTable(dataset, rows, shown, {name: values[name] for name in shown}, found)


def summary_of(row: MethodCells, name: str, reader: ScoreReader) -> Summary | None:
    """A metric of a method as in the table of its run."""
    folds = reader.scores(row).rows.get(name)
    if not folds:
        return None
    metric, protocol = reader.load(name), reader.protocol
    tables = {
        fold: [subject_table(rows, metric, protocol, sorted({one.subject for one in rows})) for rows in seeds]
        for fold, seeds in folds.items()
    }
    own = list(fold_values(tables).values())
    spread = float(np.std(own, ddof=protocol.ddof)) if len(own) > protocol.ddof else None
    return Summary(float(np.mean(own)), spread, len(own))


def _letters(
    record: MetricRecord,
    name: str,
    rows: Sequence[MethodCells],
    values: Sequence[Summary | None],
    tested: Mapping[tuple[int, int, str], Difference],
    test: str,
) -> list[str]:
    found, used = [""] * len(rows), 0
    for group in comparable(record, rows, values):
        apart = _apart([rows[place] for place in group], name, tested, test)
        if apart is not None:
            for place, text in zip(group, letters(apart, first=used), strict=True):
                found[place] = text
            used = len(set("".join(found)))
    return found


def comparable(
    record: MetricRecord, rows: Sequence[MethodCells], values: Sequence[Summary | None]
) -> Iterator[list[int]]:
    """Places of two or more rows that may be ranked with each other, best first; sample metrics among equal S."""
    if record.direction is Direction.NEITHER:
        return
    places = [place for place, row in enumerate(rows) if row.ranked and values[place]]
    sign, sampled = (-1 if record.direction is Direction.HIGHER else 1), record.needs is Need.SAMPLES
    for budget in dict.fromkeys(rows[place].samples if sampled else None for place in places):
        group = [place for place in places if not sampled or rows[place].samples == budget]
        if len(group) > 1:
            yield sorted(group, key=lambda place: sign * _mean(values[place]))


def _mean(summary: Summary | None) -> float:
    assert summary is not None
    return summary.mean


def _apart(
    rows: Sequence[MethodCells], name: str, tested: Mapping[tuple[int, int, str], Difference], test: str
) -> np.ndarray | None:
    """``(M, M)`` which are told apart; None where a pair that differs has no p."""
    apart = np.zeros((len(rows), len(rows)), bool)
    for i, one in enumerate(rows):
        for j, other in enumerate(rows[:i]):
            difference = tested.get((id(one), id(other), name)) or tested.get((id(other), id(one), name))
            if difference is None or not difference.tests:
                return None
            if test not in difference.corrected and abs(difference.estimate.value) > TIE:
                return None
            apart[i, j] = apart[j, i] = difference.corrected.get(test, 1.0) < LEVEL
    return apart
