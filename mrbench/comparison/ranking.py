"""Ranks of methods: with intervals on each data set, and over all data sets by mean ranks and a critical difference."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mrbench.cards import Direction, Need
from mrbench.results.columns import Column
from mrbench.results.pairing import aligned, subject_values
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Row, Table, comparable
from mrbench.statistics.bootstrap import Estimate, Folds, bootstrap_value, fold_values
from mrbench.statistics.critical import CriticalDifference, critical_difference
from mrbench.statistics.ranks import RankEstimate, bootstrap_ranks

Blocks = Literal["subjects", "folds"]


@dataclass(frozen=True, eq=False)
class RankedMethod:
    """A method among others.

    Attributes:
        row: in the table.
        value: mean over the folds with its interval, on what all of them have.
        rank: None where there is no estimate.
    """

    row: Row
    value: Estimate
    rank: RankEstimate | None


@dataclass(frozen=True, eq=False)
class Ranking:
    """Methods on one data set by one metric, best first.

    Attributes:
        samples: S of all of them, for a sample metric.
        reason: why there are no ranks.
    """

    dataset: str
    metric: str
    column: Column
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
    column: Column
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
    tables: Sequence[Table], reader: ScoreReader, blocks: Blocks = "subjects", *, seed: int = 0
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


def _groups(table: Table, reader: ScoreReader, seed: int) -> Iterator[_Group]:
    for name, column in table.columns.items():
        for places in comparable(table.rows, name, column):
            rows = [table.rows[place] for place in places]
            tables = aligned([reader.scores(row.run).folds[name] for row in rows if row.run], reader.load(name),
                             reader.protocol)  # fmt: skip
            samples = rows[0].samples if column.needs is Need.SAMPLES else None
            reason = "" if tables[0] else "no case that all of them have"
            ranks = reason or bootstrap_ranks(tables, higher=column.direction is Direction.HIGHER, seed=seed)
            methods = [] if reason else list(_ranked(rows, tables, ranks, seed))
            reason = ranks if isinstance(ranks, str) else ""
            yield _Group(Ranking(table.dataset, name, column, samples, methods, reason), tables)


def _ranked(
    rows: Sequence[Row], tables: Sequence[Folds], ranks: Sequence[RankEstimate] | str, seed: int
) -> Iterator[RankedMethod]:
    for number, (row, folds) in enumerate(zip(rows, tables, strict=True)):
        rank = None if isinstance(ranks, str) else ranks[number]
        yield RankedMethod(row, bootstrap_value(folds, seed=seed), rank)


def _diagram(groups: Sequence[_Group], blocks: Blocks) -> Diagram:
    first = groups[0].ranking
    named = [{one.row.label: folds for one, folds in zip(g.ranking.methods, g.tables, strict=False)} for g in groups]
    methods = [method for method in named[0] if all(method in own for own in named)]
    values = [_block_values([own[method] for method in methods], blocks) for own in named if methods]
    higher = first.column.direction is Direction.HIGHER
    found = critical_difference(np.concatenate(values), higher=higher) if values else "no method on every data set"
    datasets = [group.ranking.dataset for group in groups]
    return Diagram(first.metric, first.column, first.samples, datasets, methods, found, blocks)


def _block_values(methods: Sequence[Folds], blocks: Blocks) -> np.ndarray:
    """``(N, M)``."""
    found: list[Mapping[Any, float]] = [
        subject_values(folds) if blocks == "subjects" else fold_values(folds) for folds in methods
    ]
    return np.array([[own[block] for own in found] for block in found[0]])
