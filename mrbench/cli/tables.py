"""The tables at the end of a run: methods by rows, mean and spread over folds, what does not apply left blank."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mrbench.cli.options import RESULTS
from mrbench.engine.run import CellResult, Run
from mrbench.engine.summary import COSTS, EXPLAINED, SEES_TEST_MASKS, DatasetTable, Row, summarise
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.records import Direction
from mrbench.registry import Registry

ARROWS = {Direction.HIGHER: " ↑", Direction.LOWER: " ↓", Direction.NEITHER: ""}

GAP = 2
"""Blanks between columns."""


@dataclass(frozen=True)
class Column:
    """A column of a table, one cell per row."""

    header: str
    cells: Sequence[Text]

    @property
    def width(self) -> int:
        """Characters that it takes, with the gap beside it."""
        return max(len(self.header), *(len(cell) for cell in self.cells)) + GAP


def print_run(
    run: Run,
    results: Sequence[CellResult],
    registry: Registry,
    *,
    protocol: ScoringProtocol = STRICT,
    metrics: tuple[str, ...] = (),
    as_json: bool = False,
    rescore: bool = False,
    samples: Sequence[int] = (),
    jobs: int = 1,
) -> None:
    """Prints every table of a run, or the same content as JSON."""
    tables = summarise(
        run, results, registry, protocol, metrics, rescore=rescore, samples=samples, jobs=jobs, every=as_json
    )
    if as_json:
        click.echo(json.dumps(_as_json(run, results, tables), indent=1))
        return
    console = Console()
    for table in tables:
        _print_table(console, table)
    console.print("Research software, not for clinical use. This table again:", style="dim", highlight=False)
    # Not wrapped, so that it can be copied.
    click.echo(f"  {_again(run, protocol, metrics, registry.files_with('metric'), samples)}")


def _again(
    run: Run, protocol: ScoringProtocol, metrics: tuple[str, ...], files: Sequence[Path], samples: Sequence[int]
) -> str:
    stored = protocol == STRICT and not samples
    words = ["mrbench", "show" if stored else "score", run.id]
    words += [] if protocol == STRICT else ["--protocol", protocol.name]
    words += ["--samples", ",".join(map(str, samples))] if samples else []
    words += [word for name in metrics for word in ("--metric", name)]
    words += [word for path in files for word in ("--plugin-file", str(path))]
    return shlex.join(words + ([] if run.results == RESULTS else ["--out", str(run.results)]))


def _as_json(run: Run, results: Sequence[CellResult], tables: Sequence[DatasetTable]) -> dict[str, Any]:
    return {
        "run": run.id,
        "command": run.command,
        "tables": [
            {"dataset": table.dataset, "protocol": table.protocol, "rows": [_row_json(row) for row in table.rows]}
            for table in tables
        ],
        "cells": [
            {
                "cell": result.spec.title,
                "status": result.status.value,
                "reason": result.reason,
                "folder": str(result.spec.folder(run.results)),
                "metrics": (result.record or {}).get("metrics", {}),
                "profile": (result.record or {}).get("profile", {}),
            }
            for result in results
        ],
    }


def _row_json(row: Row) -> dict[str, Any]:
    metrics = {name: asdict(summary) for name, summary in row.metrics.items()}
    return {**vars(row), "metrics": metrics, "best": sorted(row.best), "cost": dict(row.cost)}


def _print_table(console: Console, table: DatasetTable) -> None:
    console.print()
    console.print(_title(table))
    groups = _in_groups(table.rows)
    samples = Column("S", [_text(row.samples) for row in table.rows])
    metrics = [Column(_header(table, name), [_value(row, name) for row in table.rows]) for name in table.metrics]
    cells = Column("cells", [Text(f"{d}/{n}", style="" if d == n else "red") for d, n in (r.cells for r in table.rows)])
    costs = [Column(name, [_cost(row.cost.get(name)) for row in table.rows]) for name in COSTS]
    costs = [column for column in costs if any(column.cells)]
    for key, columns in ((samples, metrics), (cells, costs)):
        for block in _blocks(table.rows, key, columns, console.width):
            console.print(_grid(table.rows, groups, [key, *block], _method_width(table.rows, console.width)))
            console.print()
    for line in _notes(table):
        console.print(line, style="dim", markup=False, highlight=False)


def _title(table: DatasetTable) -> Text:
    facts = table.description
    raters = f"{len(facts['rater_names'])} {facts['raters']} raters"
    text = Text(table.dataset, style="bold")
    changed = "".join(f", {name} = {value}" for name, value in table.changed.items())
    return text.append(
        f"  {raters}, unit {facts['unit']}, scoring protocol {table.protocol}{changed}", style="not bold dim"
    )


def _header(table: DatasetTable, name: str) -> str:
    return name + ARROWS[table.metrics[name].direction]


def _blocks(rows: Sequence[Row], key: Column, columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    # As many columns side by side as fit, so that a narrow terminal cuts nothing off.
    left = width - _method_width(rows, width) - GAP - key.width
    block: list[Column] = []
    for column in columns:
        if block and sum(c.width for c in block) + column.width > left:
            yield block
            block = []
        block.append(column)
    if block:
        yield block


def _method_width(rows: Sequence[Row], width: int) -> int:
    # A long name gives way before a number does.
    return min(max(len("method"), *(len(row.method) for row in rows)), max(12, width // 3))


def _grid(rows: Sequence[Row], groups: Sequence[Row | None], columns: Sequence[Column], method_width: int) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
    grid.add_column("method", width=method_width, overflow="fold")
    for column in columns:
        grid.add_column(column.header, justify="right", no_wrap=True)
    place = {id(row): number for number, row in enumerate(rows)}
    for row in groups:
        if row is None:
            grid.add_row()
        else:
            grid.add_row(Text(row.method), *(column.cells[place[id(row)]] for column in columns))
    return grid


def _value(row: Row, name: str) -> Text:
    if name not in row.metrics:
        return Text("")
    summary = row.metrics[name]
    spread = f" ±{_short(summary.sd)}" if summary.sd is not None else ""
    star = "*" if name in row.best else ""
    return Text(f"{_short(summary.mean, 4)}{spread}{star}", style="bold" if star else "")


def _short(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


def _cost(value: float | None) -> Text:
    if value is None:
        return Text("")
    return Text(f"{value:,.0f}" if value >= 100 else f"{value:.3g}")


def _text(value: int | None) -> Text:
    return Text("" if value is None else str(value))


def _in_groups(rows: Sequence[Row]) -> list[Row | None]:
    # Methods first, then the rows made of people, with a gap between.
    people = [row for row in rows if SEES_TEST_MASKS in row.marks]
    methods = [row for row in rows if row not in people]
    return [*methods, *([None] if methods and people else []), *people]


def _notes(table: DatasetTable) -> Iterator[str]:
    if any(row.best for row in table.rows):
        yield "mean ±sd over folds; * best of the methods (sample metrics: among equal S); ↑ higher, ↓ lower is better"
    marks: dict[str, dict[str, None]] = {}
    for row in table.rows:
        for mark in row.marks:
            marks.setdefault(mark, {})[row.method] = None
    everyone = {row.method for row in table.rows}
    for mark, methods in marks.items():
        yield f"{EXPLAINED.get(mark, mark)}: {'all rows' if set(methods) == everyone else ', '.join(methods)}"
    for row in table.rows:
        for failure in row.failures:
            yield f"{row.method}: {failure}"
