"""The tables of ``mrbench compare``: as many columns side by side as fit, what does not apply left blank."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, grids, print_columns, print_notes
from mrbench.cli.tables import mean_and_spread, title, value_json
from mrbench.comparison.differences import Comparison, Difference, Tally
from mrbench.comparison.paired_tests import TESTS
from mrbench.comparison.protocol_sensitivity import DatasetSensitivity, SensitivityTable, Shift
from mrbench.comparison.protocol_variants import Variant
from mrbench.comparison.report import AcrossRuns, ComparisonReport
from mrbench.results import ties
from mrbench.results.caveats import caveat_lines
from mrbench.results.columns import INCOMPLETE, RESEARCH, header
from mrbench.results.method_run import MethodRun
from mrbench.results.numbers import short, short_interval, short_p, signed
from mrbench.results.table import Table, Value
from mrbench.statistics.bootstrap import DRAWS, LEVEL, Interval
from mrbench.statistics.significance import Significance

ATTENTION = "!"


def print_differences(compared: ComparisonReport) -> None:
    """Prints the methods of each data set, where all pairs are tested, and a table of differences per pair."""
    console = Console()
    for table in compared.tables:
        print_methods(console, table)
    for comparison in compared.comparisons:
        console.print()
        protocol = f"scoring protocol {comparison.protocol.name}"
        mixed = ["MIXED"] if comparison.mixed else []
        console.print(title(comparison.a.dataset, comparison.a.description, protocol, *mixed))
        for letter, row in (("A", comparison.a), ("B", comparison.b)):
            console.print(_side(letter, row), highlight=False)
        if comparison.differences:
            print_columns(console, *_difference_columns(comparison, compared.test))
        print_notes(console, _difference_notes(comparison, compared))
    if compared.together:
        console.print()
        print_columns(console, *_together_columns(compared.together))
    notes = [f"pairs: {compared.pairing.how}"] if compared.pairing.how else []
    notes += [f"left out: {note}" for note in compared.pairing.notes]
    print_notes(console, [*notes, *_legend(compared), RESEARCH])


def print_methods(console: Console, table: Table) -> None:
    """Prints methods by rows with their values and the letters of their tie groups."""
    console.print()
    console.print(title(table.dataset, table.description, f"scoring protocol {table.protocol}"))
    names = Column("method", [Text(row.label) for row in table.rows])
    samples = Column("S", [Text("" if row.samples is None else str(row.samples)) for row in table.rows])
    metrics = [Column(header(name, column), _lettered(table, name)) for name, column in table.columns.items()]
    for grid in grids(names, metrics, console.width, key=samples) if metrics else ():
        console.print(grid)
        console.print()
    shown = [value for row in table.rows for value in row.values.values()]
    incomplete = [INCOMPLETE] if any(value.count for value in shown) else []
    print_notes(console, [*incomplete, *table.caveat_lines(), *table.notes])


def _lettered(table: Table, name: str) -> list[Text]:
    values = [row.values.get(name) for row in table.rows]
    width = max((len(value.letters) for value in values if value), default=0)
    return [Text("" if value is None else _with_letters(value, width)) for value in values]


def _with_letters(value: Value, width: int) -> str:
    count = f" {value.count}" if value.count else ""
    return f"{short(value.mean)}{count} {value.letters:{width}}".rstrip(" " if not width else "")


def _legend(compared: ComparisonReport) -> Iterator[str]:
    rows = [row for table in compared.tables for row in table.rows]
    if any(value.letters for row in rows for value in row.values.values()):
        yield f"letters: {ties.HOW}; human references, incomplete rows and values have none"
    yield (
        "B - A: mean over the folds, on the folds and cases that both have; interval: "
        f"{100 * LEVEL:.0f} % of {DRAWS:,} bootstrap draws of subjects within folds, the same for A and B; each for "
        "itself, not corrected for their number"
    )
    if compared.tests:
        hows = (d.tests[compared.test].how for c in compared.comparisons for d in c.differences if d.tests)
        yield f"p: {TESTS[compared.test].what}; {', '.join(filter(None, dict.fromkeys(hows)))}; {correction(compared)}"
    yield "effect: rank-biserial correlation over subjects, -1 to 1; subjects, folds: on how many B is better"
    if compared.together:
        yield (
            "together: folds of all these comparisons; their sign test takes them for independent, which folds that "
            "share subjects are not"
        )


def correction(compared: ComparisonReport) -> str:
    """What p is corrected for, in words."""
    if compared.tests == 1:
        return "the only test of this command, not corrected"
    return f"corrected by Holm for the {compared.tests} tests of this command"


def _together_columns(together: Sequence[AcrossRuns]) -> tuple[Column, list[Column]]:
    columns = {
        "A": [one.a for one in together],
        "B": [one.b for one in together],
        "B better in": [f"{one.better} of {one.n} folds" for one in together],
        "sign test p": [_p(one.test.p) for one in together],
    }
    names = Column("together", [Text(one.metric) for one in together])
    return names, [Column(name, [Text(cell) for cell in cells]) for name, cells in columns.items()]


def _p(value: float | None) -> str:
    return "" if value is None else short_p(value)


def print_sensitivity(datasets: Sequence[DatasetSensitivity], variants: Sequence[Variant]) -> None:
    """Prints a table per data set and metric, and what each column means."""
    console = Console()
    for found in datasets:
        console.print()
        description = found.methods[0].description
        console.print(title(found.dataset, description, "changes from the scoring protocol strict"))
        for table in found.tables:
            print_columns(console, *_sensitivity_columns(table, variants))
            console.print()
        print_notes(console, _sensitivity_notes(found))
    notes = [f"{variant.name}: {variant.what}" for variant in variants]
    notes += [
        "one variant at a time on the same predictions; blank: it changes nothing here; n/a: no value; "
        "1>2: the rank among the methods (sample metrics: among equal S) changes from 1 to 2",
        RESEARCH,
    ]
    print_notes(console, notes)


def _sensitivity_columns(table: SensitivityTable, variants: Sequence[Variant]) -> tuple[Column, list[Column]]:
    names = [Text(row.label) for row in table.rows]
    strict = Column("strict", [Text(mean_and_spread(row.values[table.metric])) for row in table.rows])
    columns = [Column(variant.name, [_shift(shift) for shift in table.shifts[variant.name]]) for variant in variants]
    return Column(header(table.metric, table.column), names), [strict, *columns]


def _side(letter: str, run: MethodRun) -> Text:
    facts = [run.origin, *([] if run.samples is None else [f"S {run.samples}"]), *run.caveats]
    return Text(f"{letter}  {run.method}").append(f"  {'; '.join(facts)}", style="dim")


def _difference_columns(comparison: Comparison, test: str) -> tuple[Column, list[Column]]:
    rows = comparison.differences
    names = [Text(header(row.metric, comparison.metrics[row.metric])) for row in rows]
    columns = {
        "A": [short(row.a) for row in rows],
        "B": [short(row.b) for row in rows],
        "B - A": [_change(row) for row in rows],
        f"{100 * LEVEL:.0f} % interval": [_interval(row.estimate.interval) for row in rows],
        "p": [_p(row.corrected.get(test)) for row in rows],
        "effect": [signed(row.effect.rank_biserial, 2) for row in rows],
        "subjects": [_share(row.subjects) for row in rows],
        "folds": [_count(row.folds) for row in rows],
        "cases": [str(row.cases) for row in rows],
    }
    return Column("metric", names), [Column(name, [Text(cell) for cell in cells]) for name, cells in columns.items()]


def _change(row: Difference) -> str:
    return signed(row.estimate.value) + (ATTENTION if row.flags else "")


def _interval(interval: Interval | None) -> str:
    return short_interval(interval.low, interval.high, signed) if interval else ""


def _share(tally: Tally | None) -> str:
    if tally is None or tally.n == 0:
        return ""
    return f"{100 * tally.better / tally.n:.0f}% of {tally.n}{_ties(tally)}"


def _count(tally: Tally | None) -> str:
    return f"{tally.better} of {tally.n}{_ties(tally)}" if tally else ""


def _ties(tally: Tally) -> str:
    return f", {tally.ties} tied" if tally.ties else ""


def _difference_notes(comparison: Comparison, compared: ComparisonReport) -> Iterator[str]:
    flags: dict[str, list[str]] = {}
    untested: dict[str, list[str]] = {}
    for row in comparison.differences:
        for flag in row.flags:
            flags.setdefault(flag, []).append(row.metric)
        if compared.test in row.tests:
            for reason in _why_weak(row.tests[compared.test], compared.tests):
                untested.setdefault(reason, []).append(row.metric)
    for flag, metrics in flags.items():
        yield f"{ATTENTION} {flag}: {_these(metrics, comparison)}"
    for reason, metrics in untested.items():
        yield f"{reason}: {_these(metrics, comparison)}"
    if comparison.alone:
        yield f"not compared, only one of them has it: {', '.join(comparison.alone)}"
    yield from comparison.notes


def _why_weak(test: Significance, tests: int) -> Iterator[str]:
    """Why a test has no p, or none that can be small once it is corrected for so many tests."""
    least = min(1.0, test.least * tests)
    if test.p is None:
        yield f"no p, {test.reason}"
    elif least >= ties.LEVEL:
        yield f"no p of {test.n} can be below {short(least)}{' after the correction' if tests > 1 else ''}"


def _these(metrics: Sequence[str], comparison: Comparison) -> str:
    return "all metrics" if len(metrics) == len(comparison.differences) else ", ".join(metrics)


def _shift(shift: Shift) -> Text:
    if shift.missing:
        return Text("n/a", style="dim")
    ranks = "{}>{} ".format(*shift.ranks) if shift.ranks else ""
    return Text(ranks + ("" if shift.change is None else signed(shift.change)), style="bold" if ranks else "")


def _sensitivity_notes(found: DatasetSensitivity) -> Iterator[str]:
    yield from caveat_lines((run.method, run.caveats) for run in found.methods)
    yield from (f"{run.method} {failure}" for run in found.methods for failure in run.failures)
    yield from found.faults


def differences_json(compared: ComparisonReport) -> dict[str, Any]:
    """The same content as JSON types, with every test."""
    found = [
        {
            "dataset": comparison.a.dataset,
            "protocol": comparison.protocol.name,
            "mixed": list(comparison.mixed),
            "a": _run_json(comparison.a),
            "b": _run_json(comparison.b),
            "metrics": [_difference_json(comparison, row) for row in comparison.differences],
            "only_in_one": list(comparison.alone),
            "notes": list(comparison.notes),
        }
        for comparison in compared.comparisons
    ]
    return {
        "pairs": compared.pairing.how,
        "left_out": list(compared.pairing.notes),
        "test": compared.test,
        "tests": compared.tests,
        "methods": [methods_json(table) for table in compared.tables],
        "comparisons": found,
        "together": [asdict(one) for one in compared.together],
    }


def methods_json(table: Table) -> dict[str, Any]:
    """The table of methods as JSON types."""
    rows = [
        {"label": row.label, **_run_json(row.run)}
        | {"metrics": {name: value_json(value) | {"letters": value.letters} for name, value in row.values.items()}}
        for row in table.rows
        if row.run
    ]
    return {"dataset": table.dataset, "rows": rows}


def _run_json(run: MethodRun) -> dict[str, Any]:
    return {
        "run": ", ".join(run.runs),
        "method": run.method,
        "samples": run.samples,
        "marks": list(run.caveats),
        "cells": list(run.cells),
        "failures": [f"{run.method} {failure}" for failure in run.failures],
    }


def _difference_json(comparison: Comparison, row: Difference) -> dict[str, Any]:
    facts = asdict(row)
    estimate, corrected = facts.pop("estimate"), facts.pop("corrected")
    return facts | {
        "tests": {name: test | {"corrected": corrected.get(name)} for name, test in facts["tests"].items()},
        "direction": comparison.metrics[row.metric].direction.value,
        "difference": estimate["value"],
        "interval": estimate["interval"],
        "no_interval": estimate["reason"],
    }


def sensitivity_json(datasets: Sequence[DatasetSensitivity], variants: Sequence[Variant]) -> dict[str, Any]:
    """The same content as JSON types; ``change`` is null where a variant changes nothing."""
    return {
        "switches": [{"name": variant.name, "what": variant.what} for variant in variants],
        "tables": [
            {
                "dataset": found.dataset,
                "metric": table.metric,
                "direction": table.column.direction.value,
                "rows": list(_sensitivity_rows_json(table)),
            }
            for found in datasets
            for table in found.tables
        ],
        "faults": [fault for found in datasets for fault in found.faults],
    }


def _sensitivity_rows_json(table: SensitivityTable) -> Iterator[dict[str, Any]]:
    for place, row in enumerate(table.rows):
        shifts = {name: asdict(own[place]) for name, own in table.shifts.items()}
        run = _run_json(row.run) if row.run else {}
        yield run | {"strict": value_json(row.values[table.metric]), "moves": shifts}
