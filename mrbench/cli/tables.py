"""The tables at the end of a run: methods by rows, mean and spread over folds, what does not apply left blank."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, grids, print_columns, print_notes
from mrbench.data.folder import RESULTS
from mrbench.engine.cell import domain_title
from mrbench.engine.record import reproduce
from mrbench.engine.result import Result, exit_code
from mrbench.engine.run import Run
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.registry import Registry
from mrbench.results.columns import COSTS, FAILED, INCOMPLETE, RESEARCH, header
from mrbench.results.method_run import runs_of
from mrbench.results.numbers import cost_text, short
from mrbench.results.readers import MARK_HEADS, marks_by_construction, may_be_marked, with_readers
from mrbench.results.table import Row, Table, Value
from mrbench.results.tabulate import tabulate


def print_run(
    run: Run,
    results: Sequence[Result],
    registry: Registry,
    *,
    protocol: ScoringProtocol = STRICT,
    metrics: tuple[str, ...] = (),
    as_json: bool = False,
    rescore: bool = False,
    samples: Sequence[int] = (),
    jobs: int = 1,
    readers: bool = False,
) -> int:
    """Prints every table of a run, or the same content as JSON; returns the exit code.

    A cell whose files turn out to be unreadable is told of as damaged.
    """
    tables = tabulate(
        runs_of(run, results), registry, protocol, metrics, rescore=rescore, samples=samples, jobs=jobs, every=as_json
    )
    if readers:
        tables = [with_readers(table, registry, protocol) for table in tables]
    read = {one.spec.title: one for table in tables for row in table.rows if row.run for one in row.run.results}
    results = [read.get(result.spec.title, result) for result in results]
    if as_json:
        click.echo(json.dumps(_as_json(run, results, tables), indent=1))
        return exit_code(results)
    console = Console()
    for table in tables:
        _print_table(console, table)
    console.print(f"{RESEARCH} This table again:", style="dim", highlight=False)
    # Not wrapped, so that it can be copied.
    again = _again(run, protocol, metrics, registry.files_with("metric"), samples)
    click.echo(f"  {again}{' --readers' * readers}")
    if not readers and again.startswith("mrbench show") and any(may_be_marked(table) for table in tables):
        console.print("With marks of its rows beside another reader:", style="dim", highlight=False)
        click.echo(f"  {again} --readers")
    return exit_code(results)


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


def _as_json(run: Run, results: Sequence[Result], tables: Sequence[Table]) -> dict[str, Any]:
    return {
        "run": run.id,
        "command": run.command,
        "tables": [
            {
                "dataset": table.dataset,
                "title": domain_title(table.dataset),
                "protocol": table.protocol,
                "rows": [_row_json(row) for row in table.rows],
            }
            for table in tables
        ],
        "cells": [
            {
                "cell": result.spec.title,
                "status": result.status.value,
                "reason": result.reason,
                "folder": str(result.spec.folder(run.results)),
                "reproduce": reproduce(result.spec, (result.record or {}).get("metrics", ())),
                "metrics": (result.record or {}).get("metrics", {}),
                "profile": (result.record or {}).get("profile", {}),
            }
            for result in results
        ],
    }


def _row_json(row: Row) -> dict[str, Any]:
    best = sorted(name for name, value in row.values.items() if value.best)
    metrics = {name: value_json(value) for name, value in row.values.items()}
    diagnosis = row.run.diagnosis if row.run else {}
    return {
        "method": row.method,
        "label": row.label,
        "samples": row.samples,
        "marks": list(row.caveats),
        "cells": list(row.cells),
        "failed_trainings": row.failed,
        "metrics": metrics,
        "cost": dict(row.costs),
        "failures": list(row.failures),
        "best": best,
        **({"readers": {name: mark.facts for name, mark in row.reader_marks.items()}} if row.reader_marks else {}),
        **({"diagnostics": {name: asdict(figure) for name, figure in diagnosis.items()}} if diagnosis else {}),
    }


def value_json(value: Value) -> dict[str, Any]:
    """A value as JSON types: ``n`` of ``of_folds`` folds, ``cases`` of ``of`` that it should cover."""
    return {
        "mean": value.mean,
        "sd": value.sd,
        "n": len(value.folds),
        "of_folds": value.of_folds,
        "cases": value.cases,
        "of": value.of_cases,
    }


def _print_table(console: Console, table: Table) -> None:
    console.print()
    changed = [f"{name} = {value}" for name, value in table.changed.items()]
    console.print(title(table.dataset, table.description, f"scoring protocol {table.protocol}", *changed))
    rows = sorted(table.rows, key=lambda row: row.kind.place)  # with gaps between the kinds
    gaps = [place for place, row in enumerate(rows) if row.kind is not rows[place - 1].kind]
    names = Column("method", [Text(row.label) for row in rows])
    samples = Column("S", [_text(row.samples) for row in rows])
    metrics = [
        Column(header(name, column), [_value(row.values.get(name)) for row in rows])
        for name, column in table.columns.items()
    ]
    cells = Column("cells", [Text(f"{d}/{n}", style="" if d == n else "red") for d, n in (r.cells for r in rows)])
    failed = [Column("failed", [Text(str(row.failed), style="red" if row.failed else "") for row in rows])]
    failed = failed if any(row.failed for row in rows) else []
    costs = [Column(cost.name, [Text(cost_text(row.costs.get(cost.name))) for row in rows]) for cost in COSTS]
    costs = [*failed, *(column for column in costs if any(column.cells))]
    for key, columns in ((samples, metrics), (cells, costs)):
        for grid in grids(names, columns, console.width, key=key, gaps=gaps) if columns else ():
            console.print(grid)
            console.print()
    _print_marks(console, table)
    print_notes(console, _notes(table))


def _print_marks(console: Console, table: Table) -> None:
    for one, marks in marks_by_construction(table.rows):
        texts = zip(*(mark.texts for _, mark in marks), strict=True)
        columns = [Column(name, [Text(cell) for cell in cells]) for name, cells in zip(MARK_HEADS, texts, strict=True)]
        print_columns(console, Column(one.title, [Text(row.label) for row, _ in marks]), columns)
        console.print()


def title(dataset: str, description: Mapping[str, Any], *facts: str) -> Text:
    """The line above a table: the data set, its raters and unit, and ``facts``."""
    raters = f"{len(description['rater_names'])} {description['raters']} raters"
    text = ", ".join([raters, f"unit {description['unit']}", *facts])
    return Text(domain_title(dataset), style="bold").append(f"  {text}", style="not bold dim")


def _value(value: Value | None) -> Text:
    if value is None:
        return Text("")
    star = "*" if value.best else ""
    return Text(f"{mean_and_spread(value)}{star}", style="bold" if star else "")


def mean_and_spread(value: Value) -> str:
    """The mean over the folds, its standard deviation where there is one, and its count where something is missing."""
    spread = f" ±{short(value.sd, 3)}" if value.sd is not None else ""
    return f"{short(value.mean)}{spread}{f' {value.count}' if value.count else ''}"


def _text(value: int | None) -> Text:
    return Text("" if value is None else str(value))


def _notes(table: Table) -> Iterator[str]:
    shown = [row.values[name] for row in table.rows for name in table.columns if name in row.values]
    legend = ["mean ±sd over folds"] if any(value.sd is not None for value in shown) else []
    legend += ["* best of the methods, whatever their S"] if any(value.best for value in shown) else []
    if shown:
        yield "; ".join([*legend, "↑ higher, ↓ lower is better"])
    if any(value.count for value in shown):
        yield INCOMPLETE
    if any(row.failed for row in table.rows):
        yield FAILED
    yield from table.caveat_lines()
    yield from table.notes
    for row in table.rows:
        yield from (f"{row.label}: {failure}" for failure in row.failures)
