"""The tables of ``mrbench compare``: as many columns side by side as fit, what does not apply left blank."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mrbench.cli.tables import ARROWS, GAP, Column
from mrbench.compare.differences import Comparison, Difference, Tally
from mrbench.compare.moves import DatasetMoves, MoveRow, MoveTable
from mrbench.compare.operands import MethodCells
from mrbench.compare.pairs import Pairing
from mrbench.compare.switches import Switch
from mrbench.engine.summary import EXPLAINED
from mrbench.metrics.scoring import Summary
from mrbench.statistics.bootstrap import DRAWS, LEVEL, Interval

RESEARCH = "Research software, not for clinical use."
ATTENTION = "!"


def print_differences(pairing: Pairing, comparisons: Sequence[Comparison]) -> None:
    """Prints a table per pair and data set."""
    console = Console()
    for comparison in comparisons:
        console.print()
        console.print(_title(comparison.a, f"scoring protocol {comparison.protocol.name}"))
        for letter, row in (("A", comparison.a), ("B", comparison.b)):
            console.print(_side(letter, row), highlight=False)
        if comparison.differences:
            print_columns(console, *_difference_columns(comparison))
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
        console.print(_title(found.methods[0], "changes from the scoring protocol strict"))
        for table in found.tables:
            print_columns(console, *_move_columns(table, switches))
            console.print()
        _print_notes(console, [*_marks(found.methods), *found.faults])
    notes = [f"{switch.name}: {switch.what}" for switch in switches]
    notes += [
        "one switch at a time on the same predictions; blank: it changes nothing here; n/a: no value; "
        "1>2: the rank among the methods (sample metrics: among equal S) changes from 1 to 2",
        RESEARCH,
    ]
    _print_notes(console, notes)


def _move_columns(table: MoveTable, switches: Sequence[Switch]) -> tuple[Column, list[Column]]:
    names = [Text(row.method.method) for row in table.rows]
    strict = Column("strict", [_summary(row.strict) for row in table.rows])
    columns = [Column(switch.name, [_move(row, switch) for row in table.rows]) for switch in switches]
    return Column(f"{table.metric}{ARROWS[table.record.direction]}", names), [strict, *columns]


def print_columns(console: Console, names: Column, columns: Sequence[Column]) -> None:
    """Prints columns beside the names of the rows, in as many blocks as the width asks for."""
    longest = max(len(names.header), *(len(cell) for cell in names.cells))
    width = min(longest, max(12, console.width // 3))  # a long name gives way before a number does
    for block in _blocks(columns, console.width - width - GAP):
        grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0))
        grid.add_column(names.header, width=width, overflow="fold")
        for column in block:
            grid.add_column(column.header, justify="right", no_wrap=True)
        for number, name in enumerate(names.cells):
            grid.add_row(name, *(column.cells[number] for column in block))
        console.print(grid)


def _blocks(columns: Sequence[Column], width: int) -> Iterator[list[Column]]:
    block: list[Column] = []
    for column in columns:
        if block and sum(c.width for c in block) + column.width - GAP > width:
            yield block
            block = []
        block.append(column)
    yield block


def _print_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(note, style="dim", markup=False, highlight=False)


def _title(row: MethodCells, what: str) -> Text:
    facts = row.description
    raters = f"{len(facts['rater_names'])} {facts['raters']} raters"
    return Text(row.dataset, style="bold").append(f"  {raters}, unit {facts['unit']}, {what}", style="not bold dim")


def _side(letter: str, row: MethodCells) -> Text:
    facts = [f"run {row.run.id}", *([] if row.samples is None else [f"S {row.samples}"])]
    facts += row.marks
    return Text(f"{letter}  {row.method}").append(f"  {'; '.join(facts)}", style="dim")


def _difference_columns(comparison: Comparison) -> tuple[Column, list[Column]]:
    rows = comparison.differences
    names = [Text(f"{row.metric}{ARROWS[comparison.metrics[row.metric].direction]}") for row in rows]
    columns = {
        "A": [_number(row.a) for row in rows],
        "B": [_number(row.b) for row in rows],
        "B - A": [_change(row) for row in rows],
        f"{100 * LEVEL:.0f} % interval": [_interval(row.estimate.interval) for row in rows],
        "subjects": [_share(row.subjects) for row in rows],
        "folds": [_count(row.folds) for row in rows],
        "cases": [str(row.cases) for row in rows],
    }
    return Column("metric", names), [Column(name, [Text(cell) for cell in cells]) for name, cells in columns.items()]


def _number(value: float) -> str:
    return _without_zero(f"{value:.4f}")


def _signed(value: float) -> str:
    text = f"{value:+.4f}"
    return ".0000" if float(text) == 0 else _without_zero(text)


def _without_zero(text: str) -> str:
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


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


def _summary(summary: Summary) -> Text:
    spread = f" ±{_without_zero(f'{summary.sd:.3f}')}" if summary.sd is not None else ""
    return Text(f"{_number(summary.mean)}{spread}")


def _move(row: MoveRow, switch: Switch) -> Text:
    move = row.moves[switch.name]
    if move.missing:
        return Text("n/a", style="dim")
    ranks = "{}>{} ".format(*move.ranks) if move.ranks else ""
    return Text(ranks + ("" if move.change is None else _signed(move.change)), style="bold" if ranks else "")


def _marks(rows: Sequence[MethodCells]) -> Iterator[str]:
    marks: dict[str, list[str]] = {}
    for row in rows:
        for mark in row.marks:
            marks.setdefault(mark, []).append(row.method)
    for mark, methods in marks.items():
        yield f"{EXPLAINED.get(mark, mark)}: {'all rows' if len(methods) == len(rows) else ', '.join(methods)}"
    yield from (failure for row in rows for failure in row.failures)


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
