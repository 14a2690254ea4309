"""The board as text: CSV and JSON with everything, Markdown and LaTeX with what a reader looks at first."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from mrbench.engine.cell import domain_title
from mrbench.leaderboard.board import Board, DatasetPage
from mrbench.leaderboard.command import command_of
from mrbench.leaderboard.store import Stored
from mrbench.results.caveats import caveat_lines
from mrbench.results.columns import ABOUT, FAILED, INCOMPLETE, RESEARCH, header
from mrbench.results.numbers import full_interval, short_p, signed
from mrbench.results.readers import MARK_HEADS, marks_by_construction
from mrbench.results.table import Row, RowKind, Table, Value
from mrbench.visible import visible

CSV_COLUMNS = (
    "dataset", "protocol", "data_digest", "split", "split_digest", "kind", "method", "id", "samples",
    "metric", "mean", "sd", "folds", "low", "high", "best", "beside_reader", "finished",
    "cells", "failed", "marks", "source", "reproduce",
)  # fmt: skip
BEST = "bold: best mean of the complete rows of methods; whether another training would be first, the questions say"
FORMULA = ("=", "+", "-", "@", "\t")
"""A spreadsheet runs a text that begins so."""


def as_json(board: Board) -> str:
    """What tables show, without history; NaN is impossible."""
    content = {
        "built_with": board.built_with,
        "questions": [asdict(one) for one in board.asked],
        "datasets": [_page_json(page, board.stored) for page in board.datasets],
        "listed_apart": [asdict(one) for one in board.listed_apart],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def _page_json(page: DatasetPage, stored: Mapping[str, Stored]) -> dict[str, Any]:
    return vars(page) | {"tables": [_table_json(table, stored) for table in page.tables]}


def _table_json(table: Table, stored: Mapping[str, Stored]) -> dict[str, Any]:
    data, split, split_digest = table.tested_on
    return {
        "protocol": table.protocol,
        "data_digest": data,
        "split": split,
        "split_digest": split_digest,
        "changed": table.changed,
        "columns": {name: asdict(facts) for name, facts in table.columns.items()},  # type: ignore[call-overload]
        "rows": [_row_json(row, stored.get(row.id)) for row in table.current],
        "notes": table.notes,
        "key": table.key,
    }


def _row_json(row: Row, stored: Stored | None) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "method": row.method,
        "label": row.label,
        "samples": row.samples,
        "marks": row.caveats,
        "figures": {name: _value_json(value) for name, value in row.values.items()},
        "readers": {name: mark.facts for name, mark in row.reader_marks.items()},
        "cost": row.costs,
        "cells": row.cells,
        "failed_trainings": row.failed,
        "failures": row.failures,
        "newest": row.newest,
        "reported": asdict(row.reported) if row.reported else None,
        "id": row.id,
        "reproduce": command_of(stored.entry) if stored else "",
        "written": stored.entry.written if stored else "",
    }


def _value_json(value: Value) -> dict[str, Any]:
    interval = value.interval
    return {
        "mean": value.mean,
        "sd": value.sd,
        "folds": len(value.folds) or None,
        "of_folds": value.of_folds,
        "cases": value.cases,
        "of": value.of_cases,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "no_interval": value.no_interval,
        "by_rater": value.by_rater,
        "best": value.best,
    }


def as_csv(board: Board) -> str:
    """A line per figure; history is left out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for page in board.datasets:
        for table in page.tables:
            for row in table.current:
                writer.writerows(_csv_lines(page, table, row, command_of(board.stored[row.id].entry) if row.id else ""))
    return text.getvalue()


def _csv_lines(page: DatasetPage, table: Table, row: Row, command: str) -> Iterator[list[Any]]:
    tested = ("", row.reported.split, "") if row.reported else table.tested_on
    head = [page.name, table.protocol, *tested, row.kind.value, row.method]
    source = f"{row.reported.source}, {row.reported.table}" if row.reported else ""
    for name, value in row.values.items():
        v = _value_json(value)
        values = [v[key] for key in ("mean", "sd", "folds", "low", "high", "best")]
        tail = [*row.cells, row.failed, "; ".join(row.caveats), source, command]
        mark = row.reader_marks.get(name)
        standing = mark.standing.value if mark and mark.standing else ""
        yield [_harmless(cell) for cell in (*head, row.id, row.samples, name, *values, standing, *tail)]


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def as_markdown(board: Board) -> str:
    """A table per data set and protocol; history is left out."""
    return "\n".join(_markdown(board)) + "\n"


def _markdown(board: Board) -> Iterator[str]:
    yield f"# Leaderboard\n\n{RESEARCH} Built with mrbench {_md(board.built_with)}."
    yield from _questions(board)
    for page, table in _tables(board):
        yield f"\n## {_md(domain_title(page.name))}, scoring protocol {_md(table.protocol)}\n"
        yield f"{_md(_setting(page, table))}\n"
        yield from _grid(table, _md, "**{}**".format, "| ", " | ", " |", rule=True)
        yield ""
        yield from _marks(table)
        yield from (f"- {_md(line)}" for line in notes(table))
    if board.listed_apart:
        yield "\n## Listed apart, not ranked\n"
        yield from (f"- {_md(one.path)}, {one.why}: {_md(one.fault)}" for one in board.listed_apart)


def _marks(table: Table) -> Iterator[str]:
    for one, marks in marks_by_construction(table.current):
        heads = [f"beside another reader: {one.title}", *MARK_HEADS]
        yield "| " + " | ".join(map(_md, heads)) + " |\n|---|---|--:|--:|--:|"
        yield from ("| " + " | ".join(map(_md, (row.label, *mark.texts))) + " |" for row, mark in marks)
        yield ""


def _questions(board: Board) -> Iterator[str]:
    labels = {row.id: row.label for page in board.datasets for table in page.tables for row in table.rows if row.id}
    for asked in board.asked:
        yield f"\n## {_md(asked.question.asks)}\n"
        of = f", {_md(asked.question.metric)} less that of {_md(asked.question.control)}"
        yield f"{_md(domain_title(asked.dataset))}{of}" + (f": {_md(asked.reason)}." * bool(asked.reason) or ".") + "\n"
        if asked.answers:
            yield "| method | difference | 95 % interval | p | verdict |\n|---|--:|--:|--:|---|"
        for one in asked.answers:
            difference = "" if one.difference is None else signed(one.difference)
            p = "" if one.p is None else short_p(one.p)
            cells = (labels[one.entry], difference, full_interval(one.low, one.high), p, one.verdict or one.reason)
            yield "| " + " | ".join(map(_md, cells)) + " |"


def as_latex(board: Board) -> str:
    """A ``tabular`` per data set and protocol, for the package booktabs."""
    return "\n".join(_latex(board)) + "\n"


def _latex(board: Board) -> Iterator[str]:
    yield f"% {RESEARCH} Built with mrbench {_tex(board.built_with)}. Needs booktabs and, for arrows, amsmath."
    for page, table in _tables(board):
        title = f"{_tex(domain_title(page.name))}, scoring protocol {_tex(table.protocol)}"
        yield f"\n% {title}; {_tex(_setting(page, table))}"
        lines = list(_grid(table, _tex, "\\textbf{{{}}}".format, "", " & ", " \\\\", rule=False))
        yield f"\\begin{{tabular}}{{l{'r' * lines[0].count(' & ')}}}\n\\toprule"
        yield from (lines[0], "\\midrule", *lines[1:], "\\bottomrule\n\\end{tabular}")
        yield from (f"% {_tex(line)}" for line in notes(table))


def _tables(board: Board) -> Iterator[tuple[DatasetPage, Table]]:
    for page in board.datasets:
        for table in page.tables:
            yield page, table


def _setting(page: DatasetPage, table: Table) -> str:
    data, split, split_digest = table.tested_on
    if not data:
        return "Reported figures only."
    raters = f"{len(page.rater_names)} {page.raters} raters, unit {page.unit}, split {split}"
    changed = "".join(f", {name} = {value}" for name, value in table.changed.items())
    return f"{raters}{changed}; data {data[:12]}, split {split_digest[:12]}."


def _shown(table: Table) -> list[str]:
    """Metrics that a row shows and that are meant for tables; all where none is."""
    used = [name for name in table.columns if any(name in row.values for row in table.current)]
    return [name for name in used if table.columns[name].table] or used


def _grid(
    table: Table,
    safe: Callable[[str], str],
    strong: Callable[[str], str],
    left: str,
    between: str,
    right: str,
    *,
    rule: bool,
) -> Iterator[str]:
    names = _shown(table)
    failing = any(row.failed for row in table.current)
    heads = ["method", "S", *(["failed"] if failing else []), *(header(name, table.columns[name]) for name in names)]
    yield left + between.join(map(safe, heads)) + right
    if rule:
        yield "|---|" + "--:|" * (len(heads) - 1)
    for row in table.current:
        cells = [safe(_title(row)), "" if row.samples is None else str(row.samples)]
        cells += [str(row.failed)] if failing else []
        cells += [_cell(row.values.get(name), safe, strong) for name in names]
        yield left + between.join(cells) + right


def _title(row: Row) -> str:
    kinds = {RowKind.HUMAN: " (human reference)", RowKind.EXTERNAL: " (external predictions)"}
    failed = "" if row.complete else f" ({row.cells[0]} of {row.cells[1]} cells)"
    return row.label + kinds.get(row.kind, "") + failed


def _cell(value: Value | None, safe: Callable[[str], str], strong: Callable[[str], str]) -> str:
    if value is None:
        return ""
    spread = f" ±{value.sd:.3f}" if value.sd is not None else ""
    interval = f" [{value.interval.low:.3f}, {value.interval.high:.3f}]" if value.interval else ""
    count = f" {value.count}" if value.count else ""
    mean = f"{value.mean:.4f}"
    return (strong(mean) if value.best else mean) + safe(f"{spread}{interval}{count}")


def notes(table: Table) -> Iterator[str]:
    """What a reader must know of a table, a line each."""
    values = [value for row in table.current for value in row.values.values()]
    if any(value.interval for value in values):
        yield f"mean ± sd over folds [95 % interval]: {ABOUT}"
    if any(value.best for value in values):
        yield BEST
    if any(value.count for value in values):
        yield INCOMPLETE
    if any(row.failed for row in table.current):
        yield FAILED
    computed = [row for row in table.current if row.run]
    yield from caveat_lines(((row.label, row.caveats) for row in computed), "all rows of mrbench")
    for row in table.current:
        yield from (f"{row.label}: {failure}" for failure in row.failures)
    yield from table.notes


_MD = str.maketrans({char: f"\\{char}" for char in "\\`*_[]|~$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})
_TEX = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {"~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}", "<": "\\textless{}"}
    | {">": "\\textgreater{}", "±": "$\\pm$", "↑": "$\\uparrow$", "↓": "$\\downarrow$", "|": "\\textbar{}"}
)


def _md(text: str) -> str:
    """A text of a stranger in a Markdown table: no markup, no line break."""
    lead = " " if text.startswith(" ") else ""
    return lead + " ".join(visible(text).split()).translate(_MD)


def _tex(text: str) -> str:
    """A text of a stranger in LaTeX: no command, no comment, no line break."""
    lead = " " if text.startswith(" ") else ""
    return lead + " ".join(visible(text).split()).translate(_TEX)


FORMATS: Mapping[str, Callable[[Board], str]] = {
    "leaderboard.csv": as_csv,
    "leaderboard.json": as_json,
    "leaderboard.md": as_markdown,
    "leaderboard.tex": as_latex,
}
"""File names with what writes them."""
