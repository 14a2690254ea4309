"""The tables of ``mrbench compare``: as many columns side by side as fit, what does not apply left blank."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, grids, print_columns, print_notes
from mrbench.cli.tables import mean_and_spread, title, value_json
from mrbench.comparison.differences import Comparison, Difference
from mrbench.comparison.over_datasets import HOW as OVER_DATASETS
from mrbench.comparison.over_datasets import Tally, over_datasets
from mrbench.comparison.protocol_sensitivity import DatasetSensitivity, SensitivityTable, Shift
from mrbench.comparison.protocol_variants import Variant
from mrbench.comparison.report import ComparisonReport
from mrbench.results import ties
from mrbench.results.caveats import caveat_lines
from mrbench.results.columns import INCOMPLETE, RESEARCH, header
from mrbench.results.margins import MARGINS
from mrbench.results.method_run import MethodRun
from mrbench.results.numbers import short, short_interval, short_p, signed
from mrbench.results.table import Table, Value
from mrbench.results.variability import HOW as COMPONENTS
from mrbench.results.variability import component_texts
from mrbench.statistics.components import FOLDS, REST, SUBJECTS, TRAININGS, VarianceComponents
from mrbench.statistics.correction import LEVEL as TOLD
from mrbench.statistics.interval import LEVEL, Interval
from mrbench.statistics.placements import Superiority

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
            print_columns(console, *_difference_columns(comparison))
        print_notes(console, _difference_notes(comparison))
    for metric, pairs in over_datasets(compared.comparisons).items():
        _print_tallies(console, metric, pairs)
    for run, found in compared.components:
        _print_components(console, run, found)
    notes = [f"pairs: {compared.pairing.how}"] if compared.pairing.how else []
    notes += [f"left out: {note}" for note in compared.pairing.notes]
    print_notes(console, [*notes, *_legend(compared), RESEARCH])


def _print_tallies(console: Console, metric: str, pairs: Sequence[tuple[str, str, Tally]]) -> None:
    console.print()
    console.print(Text(f"{metric} over data sets", style="bold"))
    names = Column("B", [Text(b) for _, b, _ in pairs])
    told = Column("B beside A, on at least", [Text(tally.words) for *_, tally in pairs])
    print_columns(console, names, [Column("A", [Text(a) for a, *_ in pairs]), told])


def _print_components(console: Console, run: MethodRun, found: Mapping[str, VarianceComponents]) -> None:
    console.print()
    console.print(title(run.dataset, run.description, f"what {run.title} varies by"))
    texts = [component_texts(one) for one in found.values()]
    columns = [
        Column(source, [Text(own.get(source, "")) for own in texts])
        for source in (SUBJECTS, TRAININGS, FOLDS, REST)
        if any(source in one.sources for one in found.values())
    ]
    if columns:
        print_columns(console, Column("metric", [Text(name) for name in found]), columns)
    unknown = dict.fromkeys(f"{s}: {why}" for one in found.values() for s, why in one.reasons.items())
    print_notes(console, unknown)


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
    shown = [one for comparison in compared.comparisons for one in comparison.differences]
    yield "B - A: mean over the folds, on the folds and cases that both have"
    if any(one.corrected is not None for one in shown):
        yield (
            f"{100 * LEVEL:.0f} % interval and p: of what other subjects and other trainings would give on these folds "
            "(nested variance, Satterthwaite's t); nobody can tell from one data set what other training subjects would"
        )
        yield f"p: corrected by Holm for the pairs of a metric on a data set; {VERDICTS}"
    for name in dict.fromkeys(one.metric for one in shown if one.margin is not None and one.corrected is not None):
        yield f"margin of {name}: {MARGINS[name].why}"
    if over_datasets(compared.comparisons):
        yield OVER_DATASETS
    if compared.components:
        yield f"varies by: {COMPONENTS}"
    if any(one.better for one in shown):
        yield "B better: chance on a subject; of the pairs of a training of A and one of B"


VERDICTS = (
    f"differs: p below {short(TOLD, 2)}; equivalent: the 90 % interval lies within the margin; undecided is no sign "
    "that both are the same"
)


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


def _difference_columns(comparison: Comparison) -> tuple[Column, list[Column]]:
    rows = comparison.differences
    names = [Text(header(row.metric, comparison.metrics[row.metric])) for row in rows]
    columns = {
        "A": [short(row.a) for row in rows],
        "B": [short(row.b) for row in rows],
        "B - A": [_change(row) for row in rows],
        f"{100 * LEVEL:.0f} % interval": [_interval(row.estimate.interval()) for row in rows],
        "p": ["" if row.corrected is None else short_p(row.corrected) for row in rows],
        "verdict": [row.verdict or "" for row in rows],
        "B better": [_better(row.better) for row in rows],
        "cases": [str(row.cases) for row in rows],
    }
    return Column("metric", names), [Column(name, [Text(cell) for cell in cells]) for name, cells in columns.items()]


def _change(row: Difference) -> str:
    return signed(row.estimate.value) + (ATTENTION if row.flags else "")


def _interval(interval: Interval | None) -> str:
    return short_interval(interval.low, interval.high, signed) if interval else ""


def _better(found: Superiority | None) -> str:
    if found is None:
        return ""
    ties = f", {found.ties} tied" if found.ties else ""
    return f"{100 * found.subjects.value:.0f}%; {found.better} of {found.pairs}{ties}"


def _difference_notes(comparison: Comparison) -> Iterator[str]:
    flags: dict[str, list[str]] = {}
    for row in comparison.differences:
        for flag in row.flags:
            flags.setdefault(flag, []).append(row.metric)
    for flag, metrics in flags.items():
        yield f"{ATTENTION} {flag}: {_these(metrics, comparison)}"
    if comparison.alone:
        yield f"not compared, only one of them has it: {', '.join(comparison.alone)}"
    yield from comparison.notes


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
        "methods": [methods_json(table) for table in compared.tables],
        "comparisons": found,
        "over_datasets": [
            {"metric": metric, "a": a, "b": b, **asdict(tally)}
            for metric, pairs in over_datasets(compared.comparisons).items()
            for a, b, tally in pairs
        ],
        "components": [
            _run_json(run) | {"dataset": run.dataset, "metrics": {name: asdict(one) for name, one in own.items()}}
            for run, own in compared.components
        ],
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
    estimate, interval, better = row.estimate, row.estimate.interval(), row.better
    return {
        "metric": row.metric,
        "direction": comparison.metrics[row.metric].direction.value,
        "a": row.a,
        "b": row.b,
        "difference": estimate.value,
        "interval": asdict(interval) if interval else None,
        "variance": dict(estimate.components),
        "df": estimate.df if estimate.components else None,
        "p": estimate.p,
        "corrected": row.corrected,
        "verdict": row.verdict.value if row.verdict else None,
        "margin": row.margin,
        "reason": estimate.reason,
        "better": asdict(better) if better else None,
        "cases": row.cases,
        "without_partner": row.without_partner,
        "flags": list(row.flags),
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
