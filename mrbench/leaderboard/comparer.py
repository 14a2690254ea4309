"""Comparing entries: the tie groups and critical differences of a board, kept from one build to the next."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from mrbench import __version__
from mrbench.cards import Direction, Need
from mrbench.digests import digest_json
from mrbench.errors import MrbenchError
from mrbench.files import read_json, write_json
from mrbench.leaderboard.board import RankDiagram
from mrbench.leaderboard.scores import Definitions, digest_of_cases
from mrbench.leaderboard.source import packed_scores
from mrbench.leaderboard.store import Stored
from mrbench.metrics.scores import MetricScores
from mrbench.results.columns import Column
from mrbench.results.pairing import aligned, subject_values
from mrbench.results.reader import FoldScores
from mrbench.results.table import Row, Table
from mrbench.results.ties import TieGroup, told_apart, with_letters
from mrbench.statistics.bootstrap import Folds
from mrbench.statistics.critical import CriticalDifference, critical_difference


@dataclass(frozen=True)
class Compared:
    """What comparing a group of entries gave.

    Attributes:
        entries: ids of those that were compared, best first.
        left_out: why others were not, a line each.
        apart: for each pair, are they told apart? Or why nobody can say; ``ranks``: likewise.
    """

    entries: tuple[str, ...]
    left_out: tuple[str, ...]
    apart: tuple[tuple[bool, ...], ...] | str
    ranks: CriticalDifference | str


class Comparer:
    """Compares entries under one protocol; what was compared before is read from a cache.

    Args:
        stored: entries by id.
        cache: a file that only this program writes; None: none.
    """

    def __init__(self, stored: Mapping[str, Stored], known: Mapping[str, Definitions], cache: Path | None) -> None:
        self.stored, self.known, self.cache = stored, known, cache
        self._kept: dict[str, Compared] = {}
        self._used: dict[str, Compared] = {}
        self._read: dict[tuple[str, str], Mapping[str, FoldScores]] = {}
        with suppress(OSError, ValueError, AttributeError):
            self._kept = _adapter().validate_python(read_json(cache)) if cache else {}
        self._found = dict(self._kept)

    def compared(self, table: Table) -> tuple[Table, tuple[RankDiagram, ...]]:
        """The table with the letters of its tie groups, and the diagram of each group."""
        diagrams: list[RankDiagram] = []

        def compare(name: str, places: Sequence[int]) -> TieGroup:
            rows = {table.rows[place].id: place for place in places}
            found = self._group(name, table.columns[name], table.protocol, [self.stored[id] for id in rows])
            compared = [rows[id] for id in found.entries]
            diagrams.append(_diagram(name, table.columns[name], [table.rows[at] for at in compared], found.ranks))
            return TieGroup(tuple(compared), found.apart, found.left_out)

        return with_letters(table, compare), tuple(diagrams)

    def save(self) -> None:
        """Keeps what was used for the next time."""
        if self.cache and self._used != self._kept:
            write_json(self.cache, _adapter().dump_python(self._used, mode="json"))

    def forget(self) -> None:
        """Drops the cases that were read."""
        self._read.clear()

    def _group(self, metric: str, column: Column, protocol: str, group: Sequence[Stored]) -> Compared:
        key = digest_json([__version__, protocol, metric, column.direction, [stored.id for stored in group]])
        found = self._found.get(key) or self._compare(metric, column, protocol, group)
        if not found.left_out:  # a file that is repaired changes no id
            self._found[key] = self._used[key] = found
        return found

    def _compare(self, metric: str, column: Column, protocol: str, group: Sequence[Stored]) -> Compared:
        known = self.known[protocol]
        left_out = {stored.id: fault for stored in group if (fault := self._fault(stored, metric, protocol))}
        kept = [stored for stored in group if stored.id not in left_out]
        sides = [self._scores(stored, protocol)[metric] for stored in kept]
        loaded, alone = known.metrics[metric], "" if len(kept) > 1 else "no two that can be compared"
        tables = [] if alone else aligned(sides, loaded, known.protocol)
        return Compared(
            entries=tuple(stored.id for stored in kept),
            left_out=tuple(f"{metric}: {id[:6]} is not compared: {fault}" for id, fault in left_out.items()),
            apart=alone or told_apart(sides, loaded, known.protocol),
            ranks=alone or _ranks(tables, higher=column.direction is Direction.HIGHER),
        )

    def _fault(self, stored: Stored, metric: str, protocol: str) -> str:
        """Why an entry cannot be compared: its cases are not what it says."""
        try:
            return "" if metric in self._scores(stored, protocol) else "its cases have no such score"
        except (MrbenchError, ValueError) as error:
            return (error.what if isinstance(error, MrbenchError) else str(error))[:300]

    def _scores(self, stored: Stored, protocol: str) -> Mapping[str, FoldScores]:
        if (stored.id, protocol) not in self._read:
            found: dict[str, dict[int, list[MetricScores]]] = {}
            for cell in stored.entry.finished:
                scores = packed_scores(stored, protocol, cell)
                if digest_of_cases(scores) != cell.cases.get(protocol):
                    raise ValueError(f"{cell.place} has other cases than it says")
                for name, own in scores.by_metric():
                    found.setdefault(name, {}).setdefault(cell.fold, []).append(own)
            self._read[stored.id, protocol] = found
        return self._read[stored.id, protocol]


def _ranks(tables: Sequence[Folds], *, higher: bool) -> CriticalDifference | str:
    if not all(tables):
        return "no case that all of them have"
    by_method = [subject_values(folds) for folds in tables]
    values = np.array([[own[subject] for own in by_method] for subject in by_method[0]])
    return critical_difference(values, higher=higher)


def _diagram(metric: str, column: Column, rows: Sequence[Row], found: CriticalDifference | str) -> RankDiagram:
    samples = rows[0].samples if rows and column.needs is Need.SAMPLES else None
    if isinstance(found, str):
        return RankDiagram(metric, samples, reason=found)
    order = sorted(range(len(rows)), key=lambda place: (found.ranks[place], place))
    number = {place: n for n, place in enumerate(order)}
    return RankDiagram(
        metric,
        samples,
        entries=tuple(rows[place].id for place in order),
        methods=tuple(rows[place].label for place in order),
        ranks=tuple(found.ranks[place] for place in order),
        difference=found.difference,
        p=found.p,
        blocks=found.blocks,
        groups=tuple(tuple(sorted(number[place] for place in run)) for run in found.groups),
    )


@cache
def _adapter() -> TypeAdapter[dict[str, Compared]]:
    return TypeAdapter(dict[str, Compared])
