"""The tables at the end of a run: methods by rows, mean and spread over folds, what does not apply left blank."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mrbench.engine.run import CellResult, Run
from mrbench.engine.summary import COSTS, SEES_TEST_MASKS, DatasetTable, Row, summarise
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.records import Direction
from mrbench.registry import Registry

ARROWS = {Direction.HIGHER: " ↑", Direction.LOWER: " ↓", Direction.NEITHER: ""}
GAP = 2
"""Blanks between columns."""


def print_run(
    run: Run,
    results: Sequence[CellResult],
    registry: Registry,
    *,
    protocol: ScoringProtocol = STRICT,
    metrics: tuple[str, ...] = (),
    as_json: bool = False,
    rescore: bool = False,
) -> None:
    """Prints every table of a run, or the same content as JSON."""
    tables = summarise(run, results, registry, protocol, metrics, rescore=rescore)
    if as_json:
        click.echo(json.dumps(_as_json(run, results, tables), indent=1))
        return
    console = Console()
    for table in tables:
        _print_table(console, table)
    console.print(f"mrbench show {run.id}: this table again. Research software, not for clinical use.", style="dim")


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
    for names in _blocks(table, console.width):
        console.print(_metric_block(table, names))
        console.print()
    console.print(_cost_block(table))
    for line in _notes(table):
        console.print(line, style="dim")


def _title(table: DatasetTable) -> Text:
    facts = table.description
    raters = f"{len(facts['rater_names'])} {facts['raters']} raters"
    text = Text(table.dataset, style="bold")
    return text.append(f"  {raters}, unit {facts['unit']}, scoring protocol {table.protocol}", style="not bold dim")


def _blocks(table: DatasetTable, width: int) -> Iterator[list[str]]:
    # As many metrics side by side as fit, so that a narrow terminal cuts nothing off.
    left = width - max(len("method"), *(len(row.method) for row in table.rows)) - 2 * GAP - 3
    names, used = [], 0
    for name in table.metrics:
        column = max(len(_header(table, name)), *(len(_value(row, name)) for row in table.rows)) + GAP
        if names and used + column > left:
            yield names
            names, used = [], 0
        names.append(name)
        used += column
    if names:
        yield names


def _header(table: DatasetTable, name: str) -> str:
    return name + ARROWS[table.metrics[name].direction]


def _metric_block(table: DatasetTable, names: Sequence[str]) -> Table:
    block = _block()
    block.add_column("method", no_wrap=True)
    block.add_column("S", justify="right", no_wrap=True)
    for name in names:
        block.add_column(_header(table, name), justify="right", no_wrap=True)
    for row in _in_groups(table.rows):
        if row is None:
            block.add_row()
        else:
            samples = "" if row.samples is None else str(row.samples)
            block.add_row(row.method, samples, *(_value(row, name) for name in names))
    return block


def _value(row: Row, name: str) -> Text:
    if name not in row.metrics:
        return Text("")
    summary = row.metrics[name]
    spread = f" ±{_short(summary.sd)}" if summary.sd is not None else ""
    star = "*" if name in row.best else ""
    return Text(f"{_short(summary.mean, 4)}{spread}{star}", style="bold" if star else "")


def _short(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.{digits}f}"


def _cost_block(table: DatasetTable) -> Table:
    block = _block()
    block.add_column("method", no_wrap=True)
    block.add_column("folds", justify="right")
    names = [name for name in COSTS if any(name in row.cost for row in table.rows)]
    for name in names:
        block.add_column(name, justify="right")
    for row in filter(None, _in_groups(table.rows)):
        done, planned = row.folds
        folds = Text(f"{done}/{planned}", style="" if done == planned else "red")
        block.add_row(row.method, folds, *(_cost(row.cost.get(name)) for name in names))
    return block


def _cost(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _block() -> Table:
    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))


def _in_groups(rows: Sequence[Row]) -> list[Row | None]:
    # Methods first, then the rows made of people, with a gap between.
    people = [row for row in rows if SEES_TEST_MASKS in row.marks]
    methods = [row for row in rows if row not in people]
    return [*methods, *([None] if methods and people else []), *people]


def _notes(table: DatasetTable) -> Iterator[str]:
    if any(row.best for row in table.rows):
        yield "mean ±sd over folds; * best of the methods (sample metrics: among equal S); ↑ higher, ↓ lower is better"
    marks: dict[str, list[str]] = {}
    for row in table.rows:
        for mark in row.marks:
            marks.setdefault(mark, []).append(row.method)
    for mark, methods in marks.items():
        yield f"{mark}: {'all' if len(methods) == len(table.rows) else ', '.join(methods)}"
    for row in table.rows:
        for failure in row.failures:
            yield f"{row.method}: {failure}"
