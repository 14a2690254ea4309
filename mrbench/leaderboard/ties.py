"""Which rows of a table the data cannot tell apart: tie groups and critical differences of the newest entries.

Only rows with the same test cases, folds, metric definition and, for metrics of samples, the same S are compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from mrbench import __version__
from mrbench.compare.paired import aligned, subject_values
from mrbench.compare.paired_tests import LEVEL, TIE, draws_for
from mrbench.digests import digest_json
from mrbench.errors import MrbenchError
from mrbench.files import read_json, write_json
from mrbench.leaderboard.board import RankDiagram
from mrbench.leaderboard.entry import MetricFacts, Score
from mrbench.leaderboard.pairs import pair_p_values
from mrbench.leaderboard.scores import Definitions, digest_of_cases
from mrbench.leaderboard.store import Stored
from mrbench.leaderboard.verify import stored_cases
from mrbench.metrics.scoring import Row as CaseRow
from mrbench.records import Direction, Need
from mrbench.statistics.bootstrap import Folds
from mrbench.statistics.correction import holm
from mrbench.statistics.critical import CriticalDifference, critical_difference
from mrbench.statistics.groups import letters

MOST = 30
"""Rows of one group that are compared at most, the best ones: pairs grow with their square."""


@dataclass(frozen=True, eq=False)
class Tied:
    """What is found of one column.

    Attributes:
        letters: by entry.
        best: entries that are the best of their group.
        notes: what was not computed.
    """

    letters: Mapping[str, str] = field(default_factory=dict)
    best: frozenset[str] = frozenset()
    diagrams: tuple[RankDiagram, ...] = ()
    notes: tuple[str, ...] = ()


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
        cache: a file that only this program writes; None: none.
    """

    def __init__(self, known: Mapping[str, Definitions], cache: Path | None) -> None:
        self.known, self.cache = known, cache
        self._kept: dict[str, Compared] = {}
        self._used: dict[str, Compared] = {}
        self._rows: dict[tuple[str, str], Mapping[str, Mapping[int, Sequence[Sequence[CaseRow]]]]] = {}
        with suppress(OSError, ValueError, AttributeError):
            self._kept = _adapter().validate_python(read_json(cache)) if cache else {}
        self._found = dict(self._kept)

    def column(self, metric: str, facts: MetricFacts, protocol: str, entries: Sequence[Stored]) -> Tied:
        """The tie groups of one column among complete entries that see no test masks."""
        if facts.direction is Direction.NEITHER:
            return Tied()
        found: dict[str, str] = {}
        best: set[str] = set()
        diagrams: list[RankDiagram] = []
        notes: list[str] = []
        for group in _groups(metric, facts, protocol, entries):
            best |= _best(group, metric, facts, protocol)
            chosen = group[:MOST]
            if len(group) > MOST:
                notes.append(f"{metric}: the best {MOST} of {len(group)} rows are compared")
            own = self._group(metric, facts, protocol, chosen)
            chosen = [stored for stored in chosen if stored.id in own.entries]
            notes += own.left_out
            used = len(set("".join(found.values())))
            if isinstance(own.apart, str):
                notes.append(f"{metric}: no tie groups: {own.apart}")
            else:
                texts = letters(np.array(own.apart, bool), first=used)
                found |= {stored.id: text for stored, text in zip(chosen, texts, strict=True)}
            diagrams.append(_diagram(metric, facts, chosen, own.ranks))
        return Tied(found, frozenset(best), tuple(diagrams), tuple(notes))

    def save(self) -> None:
        """Keeps what was used for the next time."""
        if self.cache and self._used != self._kept:
            write_json(self.cache, _adapter().dump_python(self._used, mode="json"))

    def forget(self) -> None:
        """Drops the cases that were read."""
        self._rows.clear()

    def _group(self, metric: str, facts: MetricFacts, protocol: str, group: Sequence[Stored]) -> Compared:
        key = digest_json([__version__, protocol, metric, facts.direction, [stored.id for stored in group]])
        found = self._found.get(key) or self._compared(metric, facts, protocol, group)
        if not found.left_out:  # a file that is repaired changes no id
            self._found[key] = self._used[key] = found
        return found

    def _compared(self, metric: str, facts: MetricFacts, protocol: str, group: Sequence[Stored]) -> Compared:
        known, definition = self.known.get(protocol), group[0].entry.scores[protocol][metric].definition
        if known is None or known.digests.get(metric) != definition:
            reason = "the metric is not installed here, or defined otherwise"
            return Compared((), (), reason, reason)
        left_out = {stored.id: fault for stored in group if (fault := self._fault(stored, metric, protocol))}
        kept = [stored for stored in group if stored.id not in left_out]
        sides = [self._read(stored, protocol)[metric] for stored in kept]
        tables = aligned(sides, known.metrics[metric], known.protocol) if len(kept) > 1 else []
        reason = "" if tables and all(tables) else "no two that can be compared"
        return Compared(
            entries=tuple(stored.id for stored in kept),
            left_out=tuple(f"{metric}: {id[:6]} is not compared: {fault}" for id, fault in left_out.items()),
            apart=reason or _apart(tables),
            ranks=reason or _ranks(tables, higher=facts.direction is Direction.HIGHER),
        )

    def _fault(self, stored: Stored, metric: str, protocol: str) -> str:
        """Why an entry cannot be compared: its cases are not what it says."""
        try:
            return "" if metric in self._read(stored, protocol) else "its cases have no such score"
        except (MrbenchError, ValueError) as error:
            return (error.what if isinstance(error, MrbenchError) else str(error))[:300]

    def _read(self, stored: Stored, protocol: str) -> Mapping[str, Mapping[int, Sequence[Sequence[CaseRow]]]]:
        if (stored.id, protocol) not in self._rows:
            found: dict[str, dict[int, list[list[CaseRow]]]] = {}
            for cell in stored.entry.finished:
                own: dict[str, list[CaseRow]] = {}
                cases = stored_cases(stored, protocol, cell)
                if digest_of_cases(cases) != cell.cases.get(protocol):
                    raise ValueError(f"{cell.place} has other cases than it says")
                for row in cases:
                    own.setdefault(row.metric, []).append(row)
                for name, rows in own.items():
                    found.setdefault(name, {}).setdefault(cell.fold, []).append(rows)
            self._rows[stored.id, protocol] = found
        return self._rows[stored.id, protocol]


def _groups(metric: str, facts: MetricFacts, protocol: str, entries: Sequence[Stored]) -> Iterator[list[Stored]]:
    """Two or more entries that compare, best first."""
    found: dict[tuple[Any, ...], list[Stored]] = {}
    for stored in entries:
        score = _score(stored, metric, protocol)
        if score:
            samples = stored.entry.sample_count if facts.needs is Need.SAMPLES else None
            tested = tuple((cell.fold, cell.seed, cell.cases.get(protocol)) for cell in stored.entry.finished)
            found.setdefault((samples, tuple(score.folds), tested, score.definition), []).append(stored)
    for group in found.values():
        if len(group) > 1:
            yield sorted(group, key=lambda stored: (_order(stored, metric, facts, protocol), stored.id))


def _order(stored: Stored, metric: str, facts: MetricFacts, protocol: str) -> float:
    mean = stored.entry.scores[protocol][metric].mean
    return -mean if facts.direction is Direction.HIGHER else mean


def _best(group: Sequence[Stored], metric: str, facts: MetricFacts, protocol: str) -> set[str]:
    first = _order(group[0], metric, facts, protocol)
    return {stored.id for stored in group if _order(stored, metric, facts, protocol) <= first + TIE}


def _score(stored: Stored, metric: str, protocol: str) -> Score | None:
    return stored.entry.scores.get(protocol, {}).get(metric)


def _apart(tables: Sequence[Folds]) -> tuple[tuple[bool, ...], ...] | str:
    found = pair_p_values(tables, draws=draws_for(len(tables) * (len(tables) - 1) // 2))
    if isinstance(found, str):
        return found
    apart = [[False] * len(tables) for _ in tables]
    for (one, other), p in zip(found, holm(list(found.values())), strict=True):
        apart[one][other] = apart[other][one] = p < LEVEL
    return tuple(map(tuple, apart))


def _ranks(tables: Sequence[Folds], *, higher: bool) -> CriticalDifference | str:
    by_method = [subject_values(folds) for folds in tables]
    values = np.array([[own[subject] for own in by_method] for subject in by_method[0]])
    return critical_difference(values, higher=higher)


def _diagram(metric: str, facts: MetricFacts, group: Sequence[Stored], found: CriticalDifference | str) -> RankDiagram:
    samples = group[0].entry.sample_count if group and facts.needs is Need.SAMPLES else None
    if isinstance(found, str):
        return RankDiagram(metric, samples, reason=found)
    order = sorted(range(len(group)), key=lambda place: (found.ranks[place], place))
    number = {place: n for n, place in enumerate(order)}
    names = names_of(group)
    return RankDiagram(
        metric,
        samples,
        entries=tuple(group[place].id for place in order),
        methods=tuple(names[place] for place in order),
        ranks=tuple(found.ranks[place] for place in order),
        difference=found.difference,
        p=found.p,
        blocks=found.blocks,
        groups=tuple(tuple(sorted(number[place] for place in run)) for run in found.groups),
    )


@cache
def _adapter() -> TypeAdapter[dict[str, Compared]]:
    return TypeAdapter(dict[str, Compared])


def names_of(group: Sequence[Stored]) -> list[str]:
    """The methods, with the beginning of the id where two configurations have one name."""
    names = [stored.entry.method for stored in group]
    unique = [names.count(name) == 1 for name in names]
    return [name if alone else f"{name} ({one.id[:6]})" for name, alone, one in zip(names, unique, group, strict=True)]
