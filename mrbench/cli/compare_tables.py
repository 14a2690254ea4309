"""The tables of ``mrbench compare``: as many columns side by side as fit, what does not apply left blank."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, grids, short
from mrbench.cli.tables import ARROWS, RESEARCH, mark_lines, mean_and_spread, title
from mrbench.compare.differences import Comparison, Difference, Tally
from mrbench.compare.moves import DatasetMoves, MoveRow, MoveTable
from mrbench.compare.operands import MethodCells
from mrbench.compare.pairs import Pairing
from mrbench.compare.switches import Switch
from mrbench.statistics.bootstrap import DRAWS, LEVEL, Interval

ATTENTION = "!"


def print_differences(pairing: Pairing, comparisons: Sequence[Comparison]) -> None:
    """Prints a table per pair and data set."""
    console = Console()
    for comparison in comparisons:
        console.print()
        protocol = f"scoring protocol {comparison.protocol.name}"
        console.print(title(comparison.a.dataset, comparison.a.description, protocol))
        for letter, row in (("A", comparison.a), ("B", comparison.b)):
            console.print(_side(letter, row), highlight=False)
        if comparison.differences:
            _print_columns(console, *_difference_columns(comparison))
        _print_notes(console, _difference_notes(comparison))
    notes = [f"pairs: {pairing.how}"] if pairing.how else []
    notes += [f"left out: {note}" for note in pairing.notes]
    share = f"{100 * LEVEL:.0f}"
    notes += [
        "B - A: mean over the folds, on the folds and cases that both have; interval: "
        f"{share} % of {DRAWS:,} bootstrap draws of subjects within folds, the same for A and B; each for itself, not "
        "corrected for their number",
        "subjects, folds: on how many B is better",
        RESEARCH,
    ]
    _print_notes(console, notes)


def print_moves(datasets: Sequence[DatasetMoves], switches: Sequence[Switch]) -> None:
    """Prints a table per data set and metric, and what each column means."""
    console = Console()
    for found in datasets:
        console.print()
        description = found.methods[0].description
        console.print(title(found.dataset, description, "changes from the scoring protocol strict"))
        for table in found.tables:
            _print_columns(console, *_move_columns(table, switches))
            console.print()
        _print_notes(console, _moves_notes(found))
    notes = [f"{switch.name}: {switch.what}" for switch in switches]
    notes += [
        "one switch at a time on the same predictions; blank: it changes nothing here; n/a: no value; "
        "1>2: the rank among the methods (sample metrics: among equal S) changes from 1 to 2",
        RESEARCH,
    ]
    _print_notes(console, notes)


def _move_columns(table: MoveTable, switches: Sequence[Switch]) -> tuple[Column, list[Column]]:
    names = [Text(row.method.method) for row in table.rows]
    strict = Column("strict", [Text(mean_and_spread(row.strict)) for row in table.rows])
    columns = [Column(switch.name, [_move(row, switch) for row in table.rows]) for switch in switches]
    return Column(f"{table.metric}{ARROWS[table.record.direction]}", names), [strict, *columns]


def _print_columns(console: Console, names: Column, columns: Sequence[Column]) -> None:
    for grid in grids(names, columns, console.width):
        console.print(grid)


def _print_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(note, style="dim", markup=False, highlight=False)


def _side(letter: str, row: MethodCells) -> Text:
    facts = [f"run {row.run.id}", *([] if row.samples is None else [f"S {row.samples}"])]
    facts += row.marks
    return Text(f"{letter}  {row.method}").append(f"  {'; '.join(facts)}", style="dim")


def _difference_columns(comparison: Comparison) -> tuple[Column, list[Column]]:
    rows = comparison.differences
    names = [Text(f"{row.metric}{ARROWS[comparison.metrics[row.metric].direction]}") for row in rows]
    columns = {
        "A": [short(row.a) for row in rows],
        "B": [short(row.b) for row in rows],
        "B - A": [_change(row) for row in rows],
        f"{100 * LEVEL:.0f} % interval": [_interval(row.estimate.interval) for row in rows],
        "subjects": [_share(row.subjects) for row in rows],
        "folds": [_count(row.folds) for row in rows],
        "cases": [str(row.cases) for row in rows],
    }
    return Column("metric", names), [Column(name, [Text(cell) for cell in cells]) for name, cells in columns.items()]


def _signed(value: float) -> str:
    text = f"{value:+.4f}"
    return ".0000" if float(text) == 0 else f"{'+' * (value > 0)}{short(value)}"


def _change(row: Difference) -> str:
    return _signed(row.estimate.value) + (ATTENTION if row.flags else "")


def _interval(interval: Interval | None) -> str:
    return f"{_signed(interval.low)} .. {_signed(interval.high)}" if interval else ""


def _share(tally: Tally | None) -> str:
    if tally is None or tally.n == 0:
        return ""
    return f"{100 * tally.better / tally.n:.0f}% of {tally.n}{_ties(tally)}"


def _count(tally: Tally | None) -> str:
    return f"{tally.better} of {tally.n}{_ties(tally)}" if tally else ""


def _ties(tally: Tally) -> str:
    return f", {tally.ties} tied" if tally.ties else ""


def _difference_notes(comparison: Comparison) -> Iterator[str]:
    flags: dict[str, list[str]] = {}
    for row in comparison.differences:
        for flag in row.flags:
            flags.setdefault(flag, []).append(row.metric)
    for flag, metrics in flags.items():
        every = len(metrics) == len(comparison.differences)
        yield f"{ATTENTION} {flag}: {'all metrics' if every else ', '.join(metrics)}"
    if comparison.alone:
        yield f"not compared, only one of them has it: {', '.join(comparison.alone)}"
    yield from comparison.notes


def _move(row: MoveRow, switch: Switch) -> Text:
    move = row.moves[switch.name]
    if move.missing:
        return Text("n/a", style="dim")
    ranks = "{}>{} ".format(*move.ranks) if move.ranks else ""
    return Text(ranks + ("" if move.change is None else _signed(move.change)), style="bold" if ranks else "")


def _moves_notes(found: DatasetMoves) -> Iterator[str]:
    yield from mark_lines((row.method, row.marks) for row in found.methods)
    yield from (failure for row in found.methods for failure in row.failures)
    yield from found.faults


def differences_json(pairing: Pairing, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The same content as JSON types."""
    found = [
        {
            "dataset": comparison.a.dataset,
            "protocol": comparison.protocol.name,
            "a": _row_json(comparison.a),
            "b": _row_json(comparison.b),
            "metrics": [_difference_json(comparison, row) for row in comparison.differences],
            "only_in_one": list(comparison.alone),
            "notes": list(comparison.notes),
        }
        for comparison in comparisons
    ]
    return {"pairs": pairing.how, "left_out": list(pairing.notes), "comparisons": found}


def _row_json(row: MethodCells) -> dict[str, Any]:
    return {
        "run": row.run.id,
        "method": row.method,
        "samples": row.samples,
        "marks": list(row.marks),
        "cells": [len(row.done), len(row.results)],
        "failures": row.failures,
    }


def _difference_json(comparison: Comparison, row: Difference) -> dict[str, Any]:
    facts = asdict(row)
    estimate = facts.pop("estimate")
    return facts | {
        "direction": comparison.metrics[row.metric].direction.value,
        "difference": estimate["value"],
        "interval": estimate["interval"],
        "no_interval": estimate["reason"],
    }


def moves_json(datasets: Sequence[DatasetMoves], switches: Sequence[Switch]) -> dict[str, Any]:
    """The same content as JSON types; ``change`` is null where a switch changes nothing."""
    return {
        "switches": [{"name": switch.name, "what": switch.what} for switch in switches],
        "tables": [
            {
                "dataset": found.dataset,
                "metric": table.metric,
                "direction": table.record.direction.value,
                "rows": [_move_row_json(row) for row in table.rows],
            }
            for found in datasets
            for table in found.tables
        ],
        "faults": [fault for found in datasets for fault in found.faults],
    }


def _move_row_json(row: MoveRow) -> dict[str, Any]:
    moves = {name: asdict(move) for name, move in row.moves.items()}
    return _row_json(row.method) | {"strict": asdict(row.strict), "moves": moves}
