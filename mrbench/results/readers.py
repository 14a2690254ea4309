"""Marks of a method beside another reader, on equal terms: decided here, and put into words here.

A construction is a metric whose value is the method's less that of the other raters, both against a rater who is held
out (``metrics.equal_terms``); what a row's interval says of it is its mark.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mrbench.data.description import Raters
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.registry import Registry
from mrbench.results.margins import MARGINS, margin_in
from mrbench.results.numbers import short, short_interval, signed
from mrbench.results.pairing import aligned
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Row, Table, Value
from mrbench.statistics.interval import Interval
from mrbench.statistics.nested import nested_value


class Standing(StrEnum):
    """What the 95 % interval of a difference to another reader says."""

    BETTER = "better"
    """It lies on the better side of 0."""
    NOT_WORSE = "not worse"
    """It lies on the better side of the margin."""
    WORSE = "worse"
    """It lies on the worse side of 0, and reaches beyond the margin."""
    UNDECIDED = "undecided"
    """None of these: more subjects or trainings may tell."""


@dataclass(frozen=True)
class Construction:
    """One way to set a method beside another reader.

    Attributes:
        metric: the difference.
        title: of its column.
        lower: are lower values better?
        what: in words.
    """

    metric: str
    title: str
    lower: bool
    what: str


CONSTRUCTIONS = (
    Construction(
        "ged_unbiased",
        "distribution",
        True,
        "twice the fair energy score of the samples less that of the other readers",
    ),
    Construction(
        "dice_max_minus_readers", "nearest", False, "the best Dice of as many samples less that of the other readers"
    ),
    Construction(
        "dice_soft_minus_readers",
        "shares",
        False,
        "soft Dice of as many samples less that of half of the readers, with the other half",
    ),
    Construction("dice_minus_reader", "one output", False, "Dice of the one output less that of another reader"),
    Construction(
        "dice_minus_majority", "and a majority", False, "Dice of the one output less that of the majority of the others"
    ),
)
"""In the order of a table."""

HOW = (
    "less a reader's: the method's value less that of the other raters, both against a rater held out, on equal terms "
    "whatever S and the number of raters; by its interval better: beyond 0; not worse: within the margin (5 % of the "
    "distance of two raters, .01 of Dice); worse: short of 0, reaching beyond the margin; undecided: none of these, "
    "which is no sign that both are the same"
)
"""What the marks say, for a note below them."""

RANKED = "ranked raters are no persons: no row is marked beside another reader"


@dataclass(frozen=True)
class ReaderMark:
    """One construction of one row.

    Attributes:
        difference: the method's value less that of the other readers.
        interval: None where there is none.
        margin: below it a difference has no substance.
        standing: None where nothing can be told.
        reason: why.
    """

    difference: float
    interval: Interval | None
    margin: float | None
    standing: Standing | None
    reason: str = ""

    @property
    def facts(self) -> dict[str, float | str | None]:
        """As JSON types."""
        ends = (self.interval.low, self.interval.high) if self.interval else (None, None)
        standing = self.standing.value if self.standing else None
        return {"difference": self.difference, "low": ends[0], "high": ends[1], "margin": self.margin,
                "standing": standing, "reason": self.reason}  # fmt: skip

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """In the order of ``MARK_HEADS``; blank where there is none."""
        ends = short_interval(self.interval.low, self.interval.high, signed) if self.interval else ""
        margin = "" if self.margin is None else short(self.margin)
        return self.standing or "not told", signed(self.difference), ends, margin


MARK_HEADS = ("mark", "less a reader's", "95 % interval", "margin")
"""Over the texts of marks."""


def with_marks(table: Table, registry: Registry) -> Table:
    """The table with the marks of its rows, by the intervals that their values have, and what a reader must know.

    Human references see the masks, of external predictions nobody knows what they were made from, older and incomplete
    rows are not compared, and ranked raters are no persons: they have none.
    """
    ranked = table.description["raters"] == Raters.RANKED
    rows = [row if ranked else replace(row, reader_marks=_marks_of(row)) for row in table.rows]
    marked = replace(table, rows=rows)
    refused = [RANKED] if ranked and any(map(_counts, rows)) else []
    notes = dict.fromkeys([*table.notes, *refused, *_notes(rows), *readings(marked, registry)])
    return replace(marked, notes=tuple(notes))


def may_be_marked(table: Table) -> bool:
    """Has it a row that can stand beside another reader?"""
    return table.description["raters"] != Raters.RANKED and any(map(_counts, table.rows))


def _counts(row: Row) -> bool:
    return row.newest and row.run is not None and row.run.ranked


def _marks_of(row: Row) -> dict[str, ReaderMark]:
    if not _counts(row):
        return {}
    values = {one: row.values[one.metric] for one in CONSTRUCTIONS if one.metric in row.values}
    return {one.metric: _mark(one, value, margin_in(one.metric, row.values.get)) for one, value in values.items()}


def _mark(construction: Construction, value: Value, margin: float | None) -> ReaderMark:
    interval = value.interval
    reason = value.count or value.no_interval or ("" if interval else "no case has every seed")
    standing = _standing(interval, margin, construction) if interval and not reason else None
    return ReaderMark(value.mean, interval, margin, standing, reason)


def _standing(interval: Interval, margin: float | None, construction: Construction) -> Standing:
    best, worst = (interval.low, interval.high) if construction.lower else (-interval.high, -interval.low)
    if worst < 0:
        return Standing.BETTER
    if margin is not None and worst < margin:
        return Standing.NOT_WORSE
    return Standing.WORSE if best > 0 else Standing.UNDECIDED


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    shown = [one for one, _ in marks_by_construction(rows)]
    if shown:
        yield HOW
    yield from (f"{one.title}: {one.metric}, {one.what}" for one in shown)
    yield from _untold(rows)


def marks_by_construction(rows: Sequence[Row]) -> Iterator[tuple[Construction, list[tuple[Row, ReaderMark]]]]:
    """The constructions that some row is marked by, and the marks of these rows."""
    for one in CONSTRUCTIONS:
        marks = [(row, row.reader_marks[one.metric]) for row in rows if one.metric in row.reader_marks]
        if marks:
            yield one, marks


def _untold(rows: Sequence[Row]) -> Iterator[str]:
    """Why marks could not be told, and of which rows."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for mark in row.reader_marks.values():
            if mark.standing is None:
                found.setdefault(mark.reason, {})[row.label] = None
    yield from (f"beside another reader nothing is told of {', '.join(own)}: {why}" for why, own in found.items())


def readings(table: Table, registry: Registry) -> Iterator[str]:
    """How the data set's raters came to their masks, where a row is of people or beside them and it bears on that."""
    if not any(row.human or row.reader_marks for row in table.rows):
        return
    tested = {row.run.spec.tested.dataset for row in table.rows if row.run}
    cards = ((plugin.key, plugin.card) for plugin in registry.plugins["dataset"] if plugin.key in tested)
    yield from (f"raters of {name}: {card.readings}" for name, card in cards if card.readings)


def with_readers(table: Table, registry: Registry, protocol: ScoringProtocol) -> Table:
    """The table of a results folder with its marks, from the scores of its method runs' cases.

    Raises:
        IncompatibleError: scores that cannot be had under this protocol.
    """
    units = {margin.of for name, margin in MARGINS.items() if margin.of and name != margin.of}
    names = (*(one.metric for one in CONSTRUCTIONS), *units)
    reader = ScoreReader(registry, protocol, names)
    rows = [_with_intervals(row, reader) for row in table.rows]
    return with_marks(replace(table, rows=rows), registry)


def _with_intervals(row: Row, reader: ScoreReader) -> Row:
    if not (row.run and row.run.ranked):
        return row
    computed, found = reader.row(row.run).values, {}
    for name, folds in reader.scores(row.run).folds.items():
        (tables,) = aligned([folds], reader.load(name), reader.protocol)
        if tables:
            estimate = nested_value(tables, trained=row.run.trained)
            value = row.values.get(name, computed[name])
            found[name] = replace(value, interval=estimate.interval(), no_interval=estimate.reason)
    return replace(row, values={**row.values, **found})
