"""Ranks of methods: with intervals on each data set, and over all data sets by mean ranks and a critical difference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mrbench.compare.operands import MethodCells
from mrbench.compare.paired import aligned, subject_values
from mrbench.compare.scores import ScoreReader
from mrbench.compare.tied import MethodTable, comparable
from mrbench.records import Direction, MetricRecord, Need
from mrbench.statistics.bootstrap import Estimate, Folds, bootstrap_value, fold_values
from mrbench.statistics.critical import CriticalDifference, critical_difference
from mrbench.statistics.ranks import RankEstimate, bootstrap_ranks

Blocks = Literal["subjects", "folds"]


@dataclass(frozen=True, eq=False)
class RankedMethod:
    """A method among others.

    Attributes:
        label: its name in the table.
        value: mean over the folds with its interval, on what all of them have.
        rank: None where there is no estimate.
        letters: of its tie groups.
    """

    label: str
    row: MethodCells
    value: Estimate
    rank: RankEstimate | None
    letters: str


@dataclass(frozen=True, eq=False)
class Ranking:
    """Methods on one data set by one metric, best first.

    Attributes:
        samples: S of all of them, for a sample metric.
        reason: why there are no ranks.
    """

    dataset: str
    metric: str
    record: MetricRecord
    samples: int | None
    methods: Sequence[RankedMethod]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Diagram:
    """Mean ranks by one metric over blocks of all data sets.

    Attributes:
        methods: labels of those that stand in every data set.
        found: the ranks in the order of ``methods``, or why there are none.
        blocks: what they are.
    """

    metric: str
    record: MetricRecord
    samples: int | None
    datasets: Sequence[str]
    methods: Sequence[str]
    found: CriticalDifference | str
    blocks: Blocks


@dataclass(frozen=True, eq=False)
class _Group:
    ranking: Ranking
    tables: Sequence[Folds]


def rank(
    tables: Sequence[MethodTable], reader: ScoreReader, blocks: Blocks = "subjects", *, seed: int = 0
) -> tuple[list[Ranking], list[Diagram]]:
    """A ranking per data set, metric and number of samples, and a diagram per metric and number of samples.

    Args:
        tables: of data sets whose methods have the same data and splits.
        blocks: of the diagrams: all subjects, or all folds.
    """
    groups = [group for table in tables for group in _groups(table, reader, seed)]
    places = dict.fromkeys((group.ranking.metric, group.ranking.samples) for group in groups)
    diagrams = [
        _diagram([group for group in groups if (group.ranking.metric, group.ranking.samples) == place], blocks)
        for place in places
    ]
    return [group.ranking for group in groups], diagrams


def _groups(table: MethodTable, reader: ScoreReader, seed: int) -> Iterator[_Group]:
    for name, record in table.metrics.items():
        for places in comparable(record, table.rows, table.values[name]):
            rows = [reader.scores(table.rows[place]).rows[name] for place in places]
            tables = aligned(rows, reader.load(name), reader.protocol)
            samples = table.rows[places[0]].samples if record.needs is Need.SAMPLES else None
            higher = record.direction is Direction.HIGHER
            reason = "" if tables[0] else "no case that all of them have"
            ranks = reason or bootstrap_ranks(tables, higher=higher, seed=seed)
            methods = [] if reason else list(_ranked(table, name, places, tables, ranks, seed))
            reason = ranks if isinstance(ranks, str) else ""
            yield _Group(Ranking(table.dataset, name, record, samples, methods, reason), tables)


def _ranked(
    table: MethodTable,
    name: str,
    places: Sequence[int],
    tables: Sequence[Folds],
    ranks: Sequence[RankEstimate] | str,
    seed: int,
) -> Iterator[RankedMethod]:
    for number, (place, folds) in enumerate(zip(places, tables, strict=True)):
        rank = None if isinstance(ranks, str) else ranks[number]
        value = bootstrap_value(folds, seed=seed)
        yield RankedMethod(table.labels[place], table.rows[place], value, rank, table.letters[name][place])


def _diagram(groups: Sequence[_Group], blocks: Blocks) -> Diagram:
    first = groups[0].ranking
    named = [{one.label: folds for one, folds in zip(g.ranking.methods, g.tables, strict=False)} for g in groups]
    methods = [method for method in named[0] if all(method in own for own in named)]
    values = [_block_values([own[method] for method in methods], blocks) for own in named if methods]
    higher = first.record.direction is Direction.HIGHER
    found = critical_difference(np.concatenate(values), higher=higher) if values else "no method on every data set"
    datasets = [group.ranking.dataset for group in groups]
    return Diagram(first.metric, first.record, first.samples, datasets, methods, found, blocks)


def _block_values(methods: Sequence[Folds], blocks: Blocks) -> np.ndarray:
    """``(N, M)``."""
    found: list[Mapping[Any, float]] = [
        subject_values(folds) if blocks == "subjects" else fold_values(folds) for folds in methods
    ]
    return np.array([[own[block] for own in found] for block in found[0]])
