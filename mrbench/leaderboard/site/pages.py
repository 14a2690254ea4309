"""What each page's template takes: texts, figures and addresses."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from mrbench.comparison.differences import Verdict
from mrbench.comparison.over_datasets import HOW as OVER_DATASETS
from mrbench.comparison.over_datasets import Evidence, tallies
from mrbench.comparison.questions import Question
from mrbench.engine.cell import domain_title
from mrbench.leaderboard.asked import Answer, Asked
from mrbench.leaderboard.board import Board, DatasetPage, MethodPage
from mrbench.leaderboard.command import command_of
from mrbench.leaderboard.entry import METHOD_FILE
from mrbench.leaderboard.site.addresses import dataset_page, method_page, question_page, record_page, rows_file
from mrbench.leaderboard.site.curves import curve_pictures
from mrbench.leaderboard.site.figures import parts_picture
from mrbench.leaderboard.site.lines import DAY, Group, Look, shown_columns
from mrbench.leaderboard.site.scores import facts_of, protocols_of, score_table
from mrbench.leaderboard.source import method_run_of
from mrbench.leaderboard.store import SetAside, Stored, Why
from mrbench.report import palette
from mrbench.report.picture import Picture
from mrbench.results import numbers
from mrbench.results.baselines import FLOOR
from mrbench.results.columns import ABOUT, ARROWS, COSTS, FAILED, INCOMPLETE
from mrbench.results.readers import MARK_HEADS, ReaderMark, marks_by_construction
from mrbench.results.table import Row, RowKind, Table, Value
from mrbench.visible import visible

FIRST = 50
"""Rows of a group that a page shows at once."""

TABLES = 30
"""Tables of a data set's page at most."""

NEWEST = 12
METHODS = 120
HISTORY = 200
SOURCE = 200_000
"""Characters of a plugin file that a page shows at most."""

APART = 100
"""Of each reason, entries that the first page lists at most."""

_MEANS = {
    Why.INVALID: "They are no entries, or say what their own cases do not bear out.",
    Why.DATA: "Their data set, split or test cases are others than the registered ones.",
    Why.UNPROVEN: "They are what the raters’ own masks would give; nobody can tell from the numbers that they are not.",
    Why.VERSION: "Another format, or another version of the method, the metric or the scoring protocol.",
}


@dataclass(frozen=True)
class Site:
    """The board with what all pages share."""

    board: Board

    @cached_property
    def styles(self) -> Mapping[str, int]:
        """Number of colour and marker by method, the same on all pages; methods first, so that theirs differ most."""
        pages = sorted(self.board.methods, key=lambda page: (page.human, not page.history, page.name))
        return {page.name: number for number, page in enumerate(pages)}

    @cached_property
    def look(self) -> Look:
        """What lines have beside their rows."""
        return Look(self.styles, {id: command_of(stored.entry) for id, stored in self.board.stored.items()})

    @cached_property
    def caveats(self) -> Mapping[str, Sequence[str]]:
        """What a reader must know of an entry, by its id: as its row of the first table has it."""
        rows = [row for page in self.board.datasets for table in page.tables for row in table.rows if row.id]
        return {row.id: row.caveats for row in reversed(rows)}

    @cached_property
    def newest(self) -> Mapping[str, bool]:
        """By id: is it the newest of its kind in its tables?"""
        tables = (table for page in self.board.datasets for table in page.tables)
        return {row.id: row.newest for table in tables for row in table.rows if row.id}


def index_view(site: Site) -> dict[str, Any]:
    """The first page."""
    board = site.board
    entries = board.entries
    return {
        "datasets": [_card(page) for page in board.datasets],
        "newest": [entry_line(stored) for stored in entries[:NEWEST]],
        "records": len(entries),
        "methods": [_method_link(page, site) for page in islice(board.methods, METHODS)],
        "method_count": len(board.methods),
        "versions": _versions(entries),
        "apart": [_apart(why, board.listed_apart) for why in Why if any(one.why is why for one in board.listed_apart)],
        "apart_count": len(board.listed_apart),
        "questions": [
            {"page": question_page(question.name), "asks": question.asks, "metric": question.metric}
            for question in dict.fromkeys(one.question for one in board.asked)
        ],
        "about": ABOUT,
    }


def submit_view() -> dict[str, Any]:
    """The page on how to submit."""
    return {"about": ABOUT, "floor": FLOOR}


def question_view(question: Question, site: Site) -> dict[str, Any]:
    """The page of a question: rows of methods by data sets, each beside the control of its table."""
    asked = [one for one in site.board.asked if one.question == question]
    rows = {row.id: row for page in site.board.datasets for table in page.tables for row in table.rows if row.id}
    found: dict[str, dict[int, Answer]] = {}
    for place, one in enumerate(asked):
        for answer in one.answers:
            found.setdefault(rows[answer.entry].label, {})[place] = answer
    tested = [_evidence(own, asked) for own in found.values()]
    return {
        "question": question,
        "how": OVER_DATASETS,
        "control_page": method_page(question.control) if question.control in site.styles else "",
        "about": ABOUT,
        "columns": [_asked_column(one) for one in asked],
        "rows": [
            {
                "label": label,
                "page": method_page(rows[next(iter(own.values())).entry].method),
                "cells": [_answer_cell(own.get(place)) for place in range(len(asked))],
                "tally": tally.words,
            }
            for (label, own), tally in zip(found.items(), tallies(tested), strict=True)
        ],
        "reasons": [f"{domain_title(one.dataset)}: {one.reason}" for one in asked if one.reason],
    }


def _asked_column(asked: Asked) -> dict[str, Any]:
    margin = f"margin {numbers.short(asked.margin)}" if asked.margin else ""
    control = record_page(asked.control) if asked.control else ""
    return {"dataset": domain_title(asked.dataset), "page": dataset_page(asked.dataset), "margin": margin,
            "control": control}  # fmt: skip


def _answer_cell(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None or answer.difference is None:
        return None
    return {
        "difference": numbers.signed(answer.difference),
        "interval": numbers.full_interval(answer.low, answer.high),
        "p": "" if answer.p is None else f"p {numbers.p_relation(answer.p)}",
        "verdict": _verdict(answer),
        "record": record_page(answer.entry),
        "reason": answer.reason,
    }


def _verdict(answer: Answer) -> str:
    if answer.verdict is Verdict.DIFFERS:
        return "better" if answer.better else "worse"
    return answer.verdict.value if answer.verdict else "not tested"


def _evidence(own: Mapping[int, Answer], asked: Sequence[Asked]) -> dict[str, Evidence]:
    """By data set; of one that has several tables the first: they are no witnesses of their own."""
    found: dict[str, Evidence] = {}
    for place, answer in own.items():
        if answer.evidence:
            found.setdefault(asked[place].dataset, answer.evidence)
    return found


def _apart(why: Why, apart: Sequence[SetAside]) -> dict[str, Any]:
    own = [one for one in apart if one.why is why]
    return {
        "why": why.value,
        "means": _MEANS[why],
        "alert": why in (Why.INVALID, Why.UNPROVEN),
        "entries": own[:APART],
        "more": max(0, len(own) - APART),
    }


def _versions(entries: Iterable[Stored]) -> str:
    """The versions of mrbench that records were computed with, and how many records each."""
    found = Counter(v for one in entries for v in {cell.versions.get("mrbench", "") for cell in one.entry.cells})
    return ", ".join(f"{version} ({_counted(n, 'record')})" for version, n in sorted(found.items()) if version)


def methods_view(site: Site) -> dict[str, Any]:
    """The list of all methods."""
    return {"methods": [_method_link(page, site) for page in site.board.methods]}


def _method_link(page: MethodPage, site: Site) -> dict[str, Any]:
    return {"name": page.name, "page": method_page(page.name), "records": len(page.history), "people": page.human,
            "summary": page.summary, "style": site.styles[page.name]}  # fmt: skip


def _card(page: DatasetPage) -> dict[str, Any]:
    ids = {row.id for table in page.tables for row in table.rows if row.id}
    methods = {row.method for table in page.tables for row in table.rows if row.kind is RowKind.METHOD}
    reported = {row.method for table in page.tables for row in table.rows if row.kind is RowKind.REPORTED}
    counts = ((len(methods), "method"), (len(ids), "record"), (len(reported), "method reported"))
    return {"name": domain_title(page.name), "page": dataset_page(page.name), "raters": _raters(page),
            "counts": ", ".join(_counted(*one) for one in counts if one[0]),
            "leaders": list(_leaders(page.tables[0]))[:4] if page.tables else []}  # fmt: skip


def _counted(number: int, words: str) -> str:
    noun, *rest = words.split(" ")
    return " ".join([f"{number:,}", noun + "s" * (number != 1), *rest])


def _leaders(table: Table) -> Iterable[tuple[str, str, str, str]]:
    """(metric, arrow, method, value) of the best of each column; where they differ by S, that of most rows."""
    for name in shown_columns(table):
        best = [row for row in table.rows if name in row.values and row.values[name].best]
        if best:
            row = max(best, key=lambda row: sum(other.samples == row.samples for other in table.rows))
            yield name, ARROWS[table.columns[name].direction], row.method, numbers.full(row.values[name].mean)


def _raters(page: DatasetPage) -> str:
    if not page.rater_names:
        return ""
    return f"{len(page.rater_names)} {page.raters} raters, unit {page.unit}"


def entry_line(stored: Stored) -> dict[str, Any]:
    """One entry in a list."""
    entry = stored.entry
    return {
        "id": stored.id,
        "record": record_page(stored.id),
        "method": entry.method,
        "page": method_page(entry.method),
        "dataset": domain_title(entry.spec.domain),
        "dataset_page": dataset_page(entry.spec.domain),
        "day": entry.written[:DAY],
        "samples": "" if entry.sample_count is None else entry.sample_count,
        "preset": entry.preset,
        "done": f"{len(entry.finished)}/{len(entry.cells)}",
        "failed": len(entry.finished) < len(entry.cells),
        "submitter": entry.submitter,
        "people": entry.human,
    }


def dataset_view(page: DatasetPage, site: Site, groups: Mapping[str, Sequence[Group]]) -> dict[str, Any]:
    """The page of a data set.

    Args:
        groups: lines of each table by its key.
    """
    tables = page.tables[:TABLES]
    return {
        "page": page,
        "heading": domain_title(page.name),
        "raters": _raters(page),
        "versions": _versions(one for one in site.board.entries if one.entry.dataset == page.name),
        "tables": [_table_view(page, table, site, groups[table.key], n) for n, table in enumerate(tables)],
        "left_out": len(page.tables) - len(tables),
        "protocols": list(dict.fromkeys(table.protocol for table in tables)),
        "about": ABOUT,
        "failed": FAILED,
        "samples": sorted({row.samples for table in tables for row in table.rows if row.samples is not None}),
    }


def _table_view(page: DatasetPage, table: Table, site: Site, groups: Sequence[Group], number: int) -> dict[str, Any]:
    parts = parts_picture(table, site.styles)
    names = shown_columns(table)
    digest, split, split_digest = table.tested_on
    data = f"data {digest[:8]}, split {split} {split_digest[:8]}" if digest else ""
    changed = "".join(f", {name} = {value}" for name, value in table.changed.items())
    return {
        "key": table.key,
        "id": f"t{number}",
        "protocol": table.protocol,
        "data": data + changed or "reported figures",
        "file": rows_file(page.name, table.key),
        "columns": [_column(name, table) for name in names],
        "costs": [cost.name for cost in COSTS],
        "groups": groups,
        "span": len(names) + len(COSTS) + 6,
        "marks": list(_marks(table, site)),
        "mark_heads": MARK_HEADS,
        "notes": [*_shared_notes(groups), *_incomplete(table), *_failed(table), *table.notes],
        "failed": any(row.failed for row in table.rows),
        "parts": trusted(parts) if parts else None,
    }


def _marks(table: Table, site: Site) -> Iterator[dict[str, Any]]:
    for one, marks in marks_by_construction(table.rows):
        yield {"title": one.title, "what": one.what, "rows": [_mark(row, mark, site) for row, mark in marks]}


def _mark(row: Row, mark: ReaderMark, site: Site) -> dict[str, Any]:
    style = site.styles.get(row.method, 0)
    return {"label": row.label, "hue": palette.hue(style), "glyph": palette.glyph(style), "texts": mark.texts}


def _shared_notes(groups: Sequence[Group]) -> Iterable[str]:
    words = {
        "methods": "all methods",
        "external": "all external predictions",
        "people": "all human references",
        "older": "all older records",
    }
    return [f"{words[group.name]}: {', '.join(group.shared)}" for group in groups if group.shared]


def _incomplete(table: Table) -> list[str]:
    return [INCOMPLETE] if any(value.count for row in table.rows for value in row.values.values()) else []


def _failed(table: Table) -> list[str]:
    return [FAILED] if any(row.failed for row in table.rows) else []


def _column(name: str, table: Table) -> dict[str, str]:
    facts = table.columns[name]
    breakable = name.replace("_", "_\u200b")
    return {"name": breakable, "arrow": ARROWS[facts.direction], "direction": facts.direction.value,
            "summary": facts.summary}  # fmt: skip


def trusted(picture: Picture) -> dict[str, Any]:
    """A figure for a template: its texts are escaped already."""
    from markupsafe import Markup

    return {"title": picture.title, "note": picture.note, "svg": Markup(picture.svg)}


def record_view(stored: Stored, site: Site) -> dict[str, Any]:
    """The page of an entry."""
    entry = stored.entry
    return {
        **entry_line(stored),
        "newest": site.newest.get(stored.id, True),
        "about": ABOUT,
        "caveats": site.caveats.get(stored.id, entry.caveats),
        "failures": entry.failures,
        "failed": stored.failed,
        "command": site.look.commands[stored.id],
        "tables": [score_table(entry, name) for name in protocols_of(entry)],
        "diagnostics": {name: numbers.full(value) for name, value in entry.diagnostics.items()},
        "facts": facts_of(entry),
        "cells": [
            {
                "place": cell.place,
                "status": cell.status.value,
                "reason": cell.reason,
                "day": cell.written[:DAY],
                "costs": [numbers.cost_text(cost.of(result)) for cost in COSTS],
            }
            for cell, result in zip(entry.cells, method_run_of(stored).results, strict=True)
        ],
        "cost_names": [cost.name for cost in COSTS],
        "options": entry.options,
        "changed": entry.changed,
        "files": entry.files,
        "source": _source(stored),
    }


def _source(stored: Stored) -> str:
    """The packed plugin file; what would hide in it is spelt out."""
    if METHOD_FILE not in stored.entry.files:
        return ""
    return visible(stored.read(METHOD_FILE).decode("utf-8", "replace"))[:SOURCE]


def method_view(page: MethodPage, site: Site) -> dict[str, Any]:
    """The page of a method: its newest entry on each data set, its history, what papers report of it."""
    newest: dict[str, Stored] = {}
    for stored in page.history:
        if site.newest.get(stored.id, True):
            newest.setdefault(stored.entry.spec.domain, stored)
    return {
        "page": page,
        "style": site.styles[page.name],
        "about": ABOUT,
        "datasets": [_on_dataset(stored, site) for stored in newest.values()],
        "history": [entry_line(stored) for stored in page.history[:HISTORY]],
        "older": max(0, len(page.history) - HISTORY),
        "reported": _reported(page.reported),
    }


def _on_dataset(stored: Stored, site: Site) -> dict[str, Any]:
    entry, curves = stored.entry, curve_pictures(stored, site.styles[stored.entry.method])
    first, *more = protocols_of(entry) or [""]
    return {
        **entry_line(stored),
        "caveats": site.caveats.get(stored.id, entry.caveats),
        "failures": entry.failures,
        "command": site.look.commands[stored.id],
        "tables": [score_table(entry, first)] if first else [],
        "more": more,
        "curves": [trusted(picture) for picture in curves],
        "options": entry.options,
        "changed": entry.changed,
    }


def _reported(found: Sequence[tuple[str, Row]]) -> list[dict[str, Any]]:
    """By data set: the columns that papers give and a line per row."""
    by_dataset: dict[str, list[Row]] = {}
    for dataset, row in found:
        by_dataset.setdefault(dataset, []).append(row)
    return [_reported_table(dataset, rows) for dataset, rows in by_dataset.items()]


def _reported_table(dataset: str, rows: Sequence[Row]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    lines = [
        {
            "source": row.reported.source if row.reported else "",
            "table": row.reported.table if row.reported else "",
            "setting": ", ".join([*row.reported.setting, *row.reported.notes]) if row.reported else "",
            "samples": "" if row.samples is None else row.samples,
            "values": [_reported_value(row.values.get(name)) for name in names],
        }
        for row in rows[:HISTORY]
    ]
    return {"dataset": dataset, "page": dataset_page(dataset), "names": names, "lines": lines}


def _reported_value(found: Value | None) -> tuple[str, str]:
    return ("", "") if found is None else (numbers.full(found.mean), numbers.full_spread(found.sd))
