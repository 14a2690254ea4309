"""The board as text: CSV and JSON with everything, Markdown and LaTeX with what a reader looks at first."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mrbench.engine.summary import EXPLAINED
from mrbench.leaderboard.board import Board, DatasetPage, Figure, Row, RowKind, Table
from mrbench.records import Direction
from mrbench.visible import visible

ARROWS = {Direction.HIGHER: "↑", Direction.LOWER: "↓", Direction.NEITHER: ""}
RESEARCH = "Research software, not for clinical use."
CSV_COLUMNS = (
    "dataset", "protocol", "data_digest", "split", "split_digest", "kind", "method", "id", "samples",
    "metric", "mean", "sd", "folds", "low", "high", "tie_group", "best", "above_raters", "recomputable", "finished",
    "cells", "marks", "source", "reproduce",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t")
"""A spreadsheet runs a text that begins so."""


def as_json(board: Board) -> str:
    """What tables show, without history; NaN is impossible."""
    content = {
        "built_with": board.built_with,
        "datasets": [_page_json(page) for page in board.datasets],
        "set_aside": [asdict(one) for one in board.set_aside],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def _page_json(page: DatasetPage) -> dict[str, Any]:
    return {**vars(page), "tables": [_table_json(table) for table in page.tables]}


def _table_json(table: Table) -> dict[str, Any]:
    return {
        **vars(table),
        "key": table.key,
        "columns": {name: asdict(facts) for name, facts in table.columns.items()},
        "rows": [_row_json(row) for row in _current(table)],
        "diagrams": [asdict(diagram) for diagram in table.diagrams],
    }


def _row_json(row: Row) -> dict[str, Any]:
    figures = {name: asdict(figure) for name, figure in row.figures.items()}
    reported = asdict(row.reported) if row.reported else None
    entry = row.stored.entry if row.stored else None
    more = {"id": row.id, "reproduce": row.reproduce, "written": entry.written if entry else ""}
    return {**vars(row), "figures": figures, "reported": reported, **more, "stored": None}


def as_csv(board: Board) -> str:
    """A line per figure; history is left out."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for page in board.datasets:
        for table in page.tables:
            for row in _current(table):
                writer.writerows(_csv_lines(page, table, row))
    return text.getvalue()


def _csv_lines(page: DatasetPage, table: Table, row: Row) -> Iterator[list[Any]]:
    head = [page.name, table.protocol, table.data_digest, table.split, table.split_digest, row.kind.value, row.method]
    source = f"{row.reported.source}, {row.reported.table}" if row.reported else ""
    for name, f in row.figures.items():
        values = [f.mean, f.sd, f.folds, f.low, f.high, f.letters, f.best, f.above_raters, f.recomputable]
        tail = [*row.cells, "; ".join(row.marks), source, row.reproduce]
        yield [_harmless(cell) for cell in (*head, row.id, row.samples, name, *values, *tail)]


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def as_markdown(board: Board) -> str:
    """A table per data set and protocol; history is left out."""
    return "\n".join(_markdown(board)) + "\n"


def _markdown(board: Board) -> Iterator[str]:
    yield f"# Leaderboard\n\n{RESEARCH} Built with mrbench {_md(board.built_with)}."
    for page, table in _tables(board):
        yield f"\n## {_md(page.name)}, scoring protocol {_md(table.protocol)}\n"
        yield f"{_md(_setting(page, table))}\n"
        yield from _grid(table, _md, "**{}**".format, "| ", " | ", " |", rule=True)
        yield ""
        yield from (f"- {_md(line)}" for line in notes(table))
    if board.set_aside:
        yield "\n## Set aside\n"
        yield from (f"- {_md(one.path)}: {_md(one.fault)}" for one in board.set_aside)


def as_latex(board: Board) -> str:
    """A ``tabular`` per data set and protocol, for the package booktabs."""
    return "\n".join(_latex(board)) + "\n"


def _latex(board: Board) -> Iterator[str]:
    yield f"% {RESEARCH} Built with mrbench {_tex(board.built_with)}. Needs booktabs and, for arrows, amsmath."
    for page, table in _tables(board):
        yield f"\n% {_tex(page.name)}, scoring protocol {_tex(table.protocol)}; {_tex(_setting(page, table))}"
        yield f"\\begin{{tabular}}{{lr{'r' * len(_shown(table))}}}\n\\toprule"
        lines = list(_grid(table, _tex, "\\textbf{{{}}}".format, "", " & ", " \\\\", rule=False))
        yield from (lines[0], "\\midrule", *lines[1:], "\\bottomrule\n\\end{tabular}")
        yield from (f"% {_tex(line)}" for line in notes(table))


def _tables(board: Board) -> Iterator[tuple[DatasetPage, Table]]:
    for page in board.datasets:
        for table in page.tables:
            yield page, table


def _current(table: Table) -> list[Row]:
    return [row for row in table.rows if row.newest]


def _setting(page: DatasetPage, table: Table) -> str:
    if not table.data_digest:
        return "Reported figures only."
    raters = f"{len(page.rater_names)} {page.raters} raters, unit {page.unit}, split {table.split}"
    changed = "".join(f", {name} = {value}" for name, value in table.changed.items())
    return f"{raters}{changed}; data {table.data_digest[:12]}, split {table.split_digest[:12]}."


def _shown(table: Table) -> list[str]:
    """Metrics that a row shows and that are meant for tables; all where none is."""
    used = [name for name in table.columns if any(name in row.figures for row in _current(table))]
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
    heads = ["method", "S", *(f"{name} {ARROWS[table.columns[name].direction]}".strip() for name in names)]
    yield left + between.join(map(safe, heads)) + right
    if rule:
        yield "|---|" + "--:|" * (len(heads) - 1)
    for row in _current(table):
        cells = [safe(_title(row)), "" if row.samples is None else str(row.samples)]
        cells += [_cell(row.figures.get(name), safe, strong) for name in names]
        yield left + between.join(cells) + right


def _title(row: Row) -> str:
    if row.reported:
        return f"{row.method} (reported, {row.reported.source}, {row.reported.table})"
    people = " (people)" if row.kind is RowKind.PEOPLE else ""
    failed = "" if row.cells[0] == row.cells[1] else f" ({row.cells[0]} of {row.cells[1]} cells)"
    return row.method + people + failed


def _cell(figure: Figure | None, safe: Callable[[str], str], strong: Callable[[str], str]) -> str:
    if figure is None:
        return ""
    spread = f" ±{figure.sd:.3f}" if figure.sd is not None else ""
    interval = f" [{figure.low:.3f}, {figure.high:.3f}]" if figure.low is not None and figure.high is not None else ""
    mean = f"{figure.mean:.4f}"
    marks = f" {figure.letters}" * bool(figure.letters) + " >" * figure.above_raters
    return (strong(mean) if figure.best else mean) + safe(f"{spread}{interval}{marks}")


def notes(table: Table) -> Iterator[str]:
    """What a reader must know of a table, a line each."""
    rows = _current(table)
    figures = [figure for row in rows for figure in row.figures.values()]
    if any(figure.low is not None for figure in figures):
        yield "mean ± sd over folds [95 % interval by bootstrap over subjects]"
    if any(figure.best for figure in figures):
        yield "bold: best of the methods with the same test cases (metrics of samples: among equal S)"
    if any(figure.letters for figure in figures):
        yield "rows that share a letter in a column are not told apart (paired exchange test over subjects, Holm, 5 %)"
    if any(figure.above_raters for figure in figures):
        yield "> better than the raters' own agreement"
    yield from _marks([row for row in rows if row.stored])
    for row in rows:
        yield from (f"{row.method}: {failure}" for failure in row.failures)
    yield from table.notes


def _marks(rows: Sequence[Row]) -> Iterator[str]:
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        for mark in row.marks:
            found.setdefault(mark, {})[row.method] = None
    for mark, methods in found.items():
        everyone = len(rows) > 1 and all(mark in row.marks for row in rows)
        yield f"{EXPLAINED.get(mark, mark)}: {'all rows of mrbench' if everyone else ', '.join(methods)}"


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
