"""The rows of a table as lines of text, in the order in which a page first shows them.

A line is made once: the page shows the first of them, and the file of rows, from which a browser sorts and filters, has
them all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mrbench.leaderboard.site.addresses import method_page, record_page
from mrbench.report import palette
from mrbench.results import numbers
from mrbench.results.caveats import SEES_TEST_MASKS, SINGLE_OUTPUT, in_short
from mrbench.results.columns import COSTS
from mrbench.results.table import KINDS, Row, RowKind, Table, Value

BESIDE = 3
"""Reported rows that stand below a reproduced one at most; the method's page has all of them."""

_SAID = frozenset({SEES_TEST_MASKS, SINGLE_OUTPUT})
"""Caveats that the group or the note below the table says of all rows."""

OLDER = "older"
TITLES = {
    "methods": KINDS[RowKind.METHOD],
    "external": KINDS[RowKind.EXTERNAL],
    "people": KINDS[RowKind.HUMAN],
    "alone": KINDS[RowKind.REPORTED],
    OLDER: "Older records: a newer one of the same method and settings is above",
}
"""Of the groups; the first needs none."""

DAY = len("2026-01-31")
"""Of an ISO time, the letters of its day."""


@dataclass(frozen=True)
class Look:
    """What lines have beside their rows.

    Attributes:
        styles: number of colour and marker by method.
        commands: that compute a row again, by the id of its entry.
    """

    styles: Mapping[str, int]
    commands: Mapping[str, str]


@dataclass(frozen=True)
class Cell:
    """A value as text, its interval with what it covers; ``best``: of its column."""

    text: str
    sd: str
    interval: str
    best: bool


@dataclass(frozen=True)
class Line:
    """A row as text.

    Attributes:
        kind: ``reproduced``, ``people`` or ``reported``.
        page, record: addresses below the site's folder; a reported row has no record.
        style: number of the method's colour and marker.
        notes: what a reader must know before comparing, in a line.
        failure: what did not finish, in a line.
        failed: how many trainings learned nothing.
        older: is there a newer entry?
        cells: by ``shown_columns``; None where the metric does not apply.
        costs: by ``COSTS``.
    """

    kind: str
    method: str
    page: str
    style: int
    samples: str
    notes: str
    failure: str
    done: str
    failed: str
    day: str
    record: str
    command: str
    older: bool
    cells: tuple[Cell | None, ...]
    costs: tuple[str, ...]

    @property
    def id(self) -> str:
        """Of the entry; blank for a reported row."""
        return self.record.removeprefix("records/").removesuffix(".html")

    @property
    def hue(self) -> int:
        """The number of its colour."""
        return palette.hue(self.style)

    @property
    def glyph(self) -> str:
        """Its marker."""
        return palette.glyph(self.style)


@dataclass(frozen=True)
class Unit:
    """A line with the reported ones that stand below it; ``more``: reported rows that do not."""

    line: Line
    reported: tuple[Line, ...] = ()
    more: int = 0


@dataclass(frozen=True)
class Group:
    """Units under a heading; ``name`` is a word for the browser, ``shared`` the caveats that all rows have."""

    name: str
    title: str
    units: Sequence[Unit] = field(default_factory=list)
    shared: tuple[str, ...] = ()


def shown_columns(table: Table) -> list[str]:
    """The metrics that stand in the table."""
    return [name for name, facts in table.columns.items() if facts.table]


def groups_of(table: Table, look: Look) -> list[Group]:
    """The groups of a table that have rows: methods, external predictions, human references, reported alone, older.

    Args:
        look: what lines have beside their rows.
    """
    reported: dict[str, list[Line]] = {}
    for row in table.rows:
        if row.kind is RowKind.REPORTED:
            reported.setdefault(row.method, []).append(line_of(row, table, look))
    newest = [row for row in table.rows if row.newest]
    methods = _group("methods", [row for row in newest if row.kind is RowKind.METHOD], table, look, reported)
    alone = [_unit(lines[0], lines[1:]) for lines in reported.values()]
    groups = [
        methods,
        _group("external", [row for row in newest if row.kind is RowKind.EXTERNAL], table, look),
        _group("people", [row for row in newest if row.kind is RowKind.HUMAN], table, look),
        Group("alone", TITLES["alone"], alone),
        _group(OLDER, [row for row in table.rows if not row.newest], table, look),
    ]
    return [group for group in groups if group.units]


def _group(
    name: str,
    rows: Sequence[Row],
    table: Table,
    look: Look,
    reported: dict[str, list[Line]] | None = None,
) -> Group:
    """A group; the reported rows of its methods are taken out of ``reported``."""
    beside = {} if reported is None else reported
    shared = _shared(rows)
    units = [_unit(line_of(row, table, look, shared), beside.pop(row.method, [])) for row in rows]
    return Group(name, TITLES[name], units, shared)


def _shared(rows: Sequence[Row]) -> tuple[str, ...]:
    """The caveats that all rows have, which are said once."""
    if len(rows) < 2:
        return ()
    common = set(rows[0].caveats).intersection(*(row.caveats for row in rows[1:])) - _SAID
    return tuple(caveat for caveat in rows[0].caveats if caveat in common)


def _unit(line: Line, reported: Sequence[Line]) -> Unit:
    return Unit(line, tuple(reported[:BESIDE]), max(0, len(reported) - BESIDE))


def line_of(row: Row, table: Table, look: Look, shared: Sequence[str] = ()) -> Line:
    """One row, without the caveats of ``shared``."""
    return Line(
        kind=row.kind.value,
        method=row.method,
        page=method_page(row.method),
        style=look.styles.get(row.method, 0),
        samples="" if row.samples is None else str(row.samples),
        notes=", ".join(note for note in _notes(row) if note not in shared),
        failure=_failure(row),
        done=f"{row.cells[0]}/{row.cells[1]}" if row.run else "",
        failed=str(row.failed) if row.run else "",
        day=row.run.written[:DAY] if row.run else "",
        record=record_page(row.id) if row.id else "",
        command=look.commands.get(row.id, ""),
        older=not row.newest,
        cells=tuple(_cell(row.values.get(name)) for name in shown_columns(table)),
        costs=tuple(numbers.cost_text(row.costs.get(cost.name)) for cost in COSTS),
    )


def _notes(row: Row) -> list[str]:
    if row.reported:
        return [f"{row.reported.source}, {row.reported.table}", *row.reported.setting]
    return [in_short(caveat) for caveat in row.caveats if caveat not in _SAID]


def _failure(row: Row) -> str:
    done, planned = row.cells
    missing = planned - done
    if missing:
        return f"{missing} of {planned} cells did not finish"
    return f"{len(row.failures)} metrics failed" if row.failures else ""


def _cell(found: Value | None) -> Cell | None:
    if found is None:
        return None
    low, high = (found.interval.low, found.interval.high) if found.interval else (None, None)
    return Cell(
        numbers.full(found.mean),
        numbers.full_spread(found.sd),
        " ".join(filter(None, (numbers.full_interval(low, high), found.count))),
        found.best,
    )


def rows_data(groups: Sequence[Group]) -> dict[str, Any]:
    """All lines as JSON types, texts by number in ``words``: many are the same in many rows."""
    words: dict[str, int] = {}

    def word(text: str) -> int:
        return words.setdefault(text, len(words))

    def packed(line: Line) -> list[Any]:
        return [
            line.kind, word(line.method), word(line.page), line.style, line.samples, word(line.notes),
            word(line.failure), line.done, line.failed, line.day, line.id, word(line.command),
            [_packed_cell(cell) for cell in line.cells], list(line.costs),
        ]  # fmt: skip

    content = [
        [group.name, group.title, [[packed(unit.line), [packed(one) for one in unit.reported], unit.more]
                                   for unit in group.units]]
        for group in groups
    ]  # fmt: skip
    return {"groups": content, "words": list(words)}


def _packed_cell(cell: Cell | None) -> list[Any] | int:
    if cell is None:
        return 0
    return [cell.text, cell.sd, cell.interval, int(cell.best)]
