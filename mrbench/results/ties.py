"""Tie groups: the letters of method runs that the data cannot tell apart, the same wherever they are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.results.columns import Column
from mrbench.results.method_run import MethodRun
from mrbench.results.pairing import aligned
from mrbench.results.reader import FoldScores, ScoreReader
from mrbench.results.table import Row, Table, changed_values, comparable
from mrbench.statistics.correction import LEVEL, holm
from mrbench.statistics.groups import letters
from mrbench.statistics.nested import nested_difference

MOST = 30
"""Rows of one group that are compared at most, the best ones: pairs grow with their square."""

HOW = (
    "rows that share a letter in a column are not told apart (nested test over subjects and trainings, Holm over the "
    f"pairs of the column, {100 * LEVEL:.0f} %); that is no sign that they are the same"
)
"""What the letters say, for a note below a table."""


@dataclass(frozen=True)
class TieGroup:
    """Rows that were compared with each other.

    Attributes:
        places: of those that were compared, best first.
        apart: for each pair, are they told apart? Or why nobody can say.
        notes: why others were not compared, a line each.
    """

    places: tuple[int, ...]
    apart: tuple[tuple[bool, ...], ...] | str
    notes: tuple[str, ...] = ()


Compare = Callable[[str, Sequence[int]], TieGroup]
"""Compares the rows of a column, by its name and the places of at most ``MOST`` rows, best first."""


def column_letters(
    rows: Sequence[Row], name: str, column: Column, compare: Compare
) -> tuple[dict[int, str], tuple[str, ...]]:
    """The letters of one column by place, and what was not computed."""
    found: dict[int, str] = {}
    notes: list[str] = []
    for group in comparable(rows, name, column):
        if len(group) > MOST:
            notes.append(f"{name}: the best {MOST} of {len(group)} rows are compared")
        own = compare(name, group[:MOST])
        notes += own.notes
        if isinstance(own.apart, str):
            notes.append(f"{name}: no tie groups: {own.apart}")
            continue
        used = len(set("".join(found.values())))
        texts = letters(np.array(own.apart, bool).reshape(len(own.places), -1), first=used)
        found |= dict(zip(own.places, texts, strict=True))
    return found, tuple(notes)


def lettered(table: Table, reader: ScoreReader) -> Table:
    """The table with the letters of its tie groups, from the scores of its method runs' cases.

    Raises:
        DataError, IncompatibleError: a cell that cannot be read.
    """

    def compare(name: str, places: Sequence[int]) -> TieGroup:
        runs = [run for place in places if (run := table.rows[place].run)]
        sides = [reader.scores(run).folds.get(name, {}) for run in runs]
        return TieGroup(tuple(places), told_apart(runs, sides, reader.load(name), reader.protocol))

    return with_letters(table, compare)


def with_letters(table: Table, compare: Compare) -> Table:
    """The table with the letters that a comparison gives."""
    found = {name: column_letters(table.rows, name, column, compare) for name, column in table.columns.items()}
    changes: dict[int, dict[str, dict[str, str]]] = {}
    for name, (texts, _) in found.items():
        for place, text in texts.items():
            changes.setdefault(place, {})[name] = {"letters": text}
    rows = changed_values(table.rows, changes)
    notes = dict.fromkeys([*table.notes, *(note for _, own in found.values() for note in own)])
    return replace(table, rows=rows, notes=tuple(notes))


def told_apart(
    runs: Sequence[MethodRun], sides: Sequence[FoldScores], metric: Metric, protocol: ScoringProtocol
) -> tuple[tuple[bool, ...], ...] | str:
    """For each pair of method runs, are they told apart at 5 %, corrected for all pairs? Or why nobody can say.

    Args:
        sides: the scores of each run.
    """
    tables = aligned(sides, metric, protocol)
    if not all(tables):
        return "no case that all of them have"
    pairs = list(combinations(range(len(tables)), 2))
    found = [
        nested_difference(
            tables[one],
            tables[other],
            trained=(runs[one].trained, runs[other].trained),
            shared=runs[one].shares_trainings(runs[other]),
        )
        for one, other in pairs
    ]
    reason = next((estimate.reason for estimate in found if estimate.reason), "")
    if reason:
        return reason
    apart = np.zeros((len(tables), len(tables)), bool)
    for (one, other), p in zip(pairs, holm([estimate.p or 1.0 for estimate in found]), strict=True):
        apart[one, other] = apart[other, one] = p < LEVEL
    return tuple(map(tuple, apart.tolist()))
