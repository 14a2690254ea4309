"""The cases that a page shows, or the reason why it shows none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mrbench.data.caseset import CaseSet
from mrbench.engine.run import Run
from mrbench.engine.score import applicable_metrics
from mrbench.errors import MrbenchError
from mrbench.pictures import load_cases
from mrbench.registry import Registry
from mrbench.report.blocks import pack_cases
from mrbench.report.cases import Order, case_values, choose
from mrbench.report.choices import Choices
from mrbench.results.columns import Column
from mrbench.results.method_run import MethodRun
from mrbench.results.table import Row, Table


@dataclass(frozen=True, eq=False)
class Gallery:
    """Cases to look at.

    Attributes:
        index: what the page's script must know, as JSON types; empty where there is nothing to look at.
        blocks: one base64 text per case.
        notes: what a reader must know.
        absent: why there is nothing to look at.
    """

    index: Mapping[str, Any] = field(default_factory=dict)
    blocks: Sequence[str] = ()
    notes: Sequence[str] = ()
    absent: str = ""


def gallery_of(table: Table, runs: Sequence[Run], registry: Registry, choices: Choices) -> Gallery:
    """The test cases of a data set with the draws of all methods.

    What else stands on a page needs neither images nor draws: where they cannot be had, the gallery says why.

    Args:
        runs: those that the method runs come from.
    """
    rows = [row for row in table.rows if row.run and row.run.shown(choices.fold)]
    methods = {row.label: row.run for row in rows if row.run}
    if not rows or not table.columns:
        where = "" if choices.fold is None else f" in fold {choices.fold}"
        return Gallery(absent=f"No cell of this data set has finished{where}.")
    try:
        first = next(iter(methods.values()))
        cases = load_cases(first.spec, registry, next(run for run in runs if run.id in first.runs))
    except Exception as error:  # a data set's own code may raise anything
        return Gallery(absent=f"The images of {table.dataset!r} are not available: {_sentence(error)}")
    try:
        return _packed(replace(table, rows=rows), methods, cases, registry, choices)
    except MrbenchError as error:
        return Gallery(absent=f"The cases cannot be shown: {_sentence(error)}")


def _packed(
    table: Table, methods: Mapping[str, MethodRun], cases: CaseSet, registry: Registry, choices: Choices
) -> Gallery:
    plugins = applicable_metrics(registry, table.description["raters"], tuple(table.columns))
    values = case_values(methods, plugins, choices.protocol, choices.fold)
    order = _first_order(choices.metric, table)
    chosen = choose(values, choices.count(volumes=cases.is_volume), order)
    packed = pack_cases(methods, cases, chosen, list(table.columns), choices.samples)
    notes = [*_left_out(len(chosen), len(values), order), *packed.notes, *_trials(table.rows)]
    return Gallery({**packed.index, **_orders(table.columns, order)}, packed.blocks, notes)


def _first_order(metric: str, table: Table) -> Order:
    # The first method that has the metric asked for; where none has it, the first metric that one has.
    for name in dict.fromkeys([metric, *table.columns]):
        for row in table.rows if name in table.columns else ():
            if name in row.values:
                return Order(row.label, name, table.columns[name].direction)
    name = next(iter(table.columns))
    return Order(table.rows[0].label, name, table.columns[name].direction)


def _sentence(error: Exception) -> str:
    if not isinstance(error, MrbenchError):
        return f"{type(error).__name__}: {' '.join(str(error).split())}."
    return f"{' '.join(error.what.split())}" + (f" ({error.found})." if error.found else ".")


def _left_out(chosen: int, found: int, order: Order) -> Iterator[str]:
    if chosen < found:
        yield f"{chosen} of {found} test cases, spread evenly over the order by {order.metric} of {order.label}."


def _trials(rows: Sequence[Row]) -> Iterator[str]:
    if any(row.human for row in rows):
        yield "Of a human reference that is scored in several trials per case, the draws of the first are here."


def _orders(columns: Mapping[str, Column], order: Order) -> dict[str, Any]:
    listed = [{"name": name, "direction": column.direction.value} for name, column in columns.items()]
    return {"metrics": listed, "metric": order.metric, "of": order.label}
