"""The tables at the end of a run: methods by rows, mean and spread over folds, what does not apply left blank."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, grids, short
from mrbench.data.folder import RESULTS
from mrbench.engine.run import CellResult, Run
from mrbench.engine.summary import COSTS, EXPLAINED, SEES_TEST_MASKS, DatasetTable, Row, summarise
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.metrics.scoring import Summary
from mrbench.records import Direction
from mrbench.registry import Registry

ARROWS = {Direction.HIGHER: " ↑", Direction.LOWER: " ↓", Direction.NEITHER: ""}

RESEARCH = "Research software, not for clinical use."


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
    console.print(f"{RESEARCH} This table again:", style="dim", highlight=False)
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
    changed = [f"{name} = {value}" for name, value in table.changed.items()]
    console.print(title(table.dataset, table.description, f"scoring protocol {table.protocol}", *changed))
    rows = sorted(table.rows, key=_sees_test_masks)  # methods first, then the rows made of people, with a gap between
    gap = sum(not _sees_test_masks(row) for row in rows)
    names = Column("method", [Text(row.method) for row in rows])
    samples = Column("S", [_text(row.samples) for row in rows])
    metrics = [Column(_header(table, name), [_value(row, name) for row in rows]) for name in table.metrics]
    cells = Column("cells", [Text(f"{d}/{n}", style="" if d == n else "red") for d, n in (r.cells for r in rows)])
    costs = [Column(name, [_cost(row.cost.get(name)) for row in rows]) for name in COSTS]
    costs = [column for column in costs if any(column.cells)]
    for key, columns in ((samples, metrics), (cells, costs)):
        for grid in grids(names, columns, console.width, key=key, gap=gap) if columns else ():
            console.print(grid)
            console.print()
    for line in _notes(table):
        console.print(line, style="dim", markup=False, highlight=False)


def title(dataset: str, description: Mapping[str, Any], *facts: str) -> Text:
    """The line above a table: the data set, its raters and unit, and ``facts``."""
    raters = f"{len(description['rater_names'])} {description['raters']} raters"
    text = ", ".join([raters, f"unit {description['unit']}", *facts])
    return Text(dataset, style="bold").append(f"  {text}", style="not bold dim")


def _sees_test_masks(row: Row) -> bool:
    return SEES_TEST_MASKS in row.marks


def _header(table: DatasetTable, name: str) -> str:
    return name + ARROWS[table.metrics[name].direction]


def _value(row: Row, name: str) -> Text:
    if name not in row.metrics:
        return Text("")
    star = "*" if name in row.best else ""
    return Text(f"{mean_and_spread(row.metrics[name])}{star}", style="bold" if star else "")


def mean_and_spread(summary: Summary) -> str:
    """The mean over the folds, with its standard deviation where there is one."""
    return short(summary.mean) + (f" ±{short(summary.sd, 3)}" if summary.sd is not None else "")


def _cost(value: float | None) -> Text:
    if value is None:
        return Text("")
    return Text(f"{value:,.0f}" if value >= 100 else f"{value:.3g}")


def _text(value: int | None) -> Text:
    return Text("" if value is None else str(value))


def _notes(table: DatasetTable) -> Iterator[str]:
    shown = [row.metrics[name] for row in table.rows for name in table.metrics if name in row.metrics]
    legend = ["mean ±sd over folds"] if any(summary.sd is not None for summary in shown) else []
    legend += ["* best of the methods (sample metrics: among equal S)"] if any(row.best for row in table.rows) else []
    if shown:
        yield "; ".join([*legend, "↑ higher, ↓ lower is better"])
    yield from mark_lines((row.method, row.marks) for row in table.rows)
    for row in table.rows:
        for failure in row.failures:
            yield f"{row.method}: {failure}"


def mark_lines(rows: Iterable[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """For each mark, what it means and which methods have it; ``rows``: each method with its marks."""
    rows = list(rows)
    marks: dict[str, dict[str, None]] = {}
    for method, own in rows:
        for mark in own:
            marks.setdefault(mark, {})[method] = None
    everyone = {method for method, _ in rows}
    for mark, methods in marks.items():
        yield f"{EXPLAINED.get(mark, mark)}: {'all rows' if set(methods) == everyone else ', '.join(methods)}"
