"""The cases that a page shows, or the reason why it shows none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mrbench.data.caseset import CaseSet
from mrbench.engine.score import applicable_metrics
from mrbench.engine.summary import DatasetTable
from mrbench.errors import MrbenchError
from mrbench.pictures import load_cases
from mrbench.records import MetricRecord
from mrbench.registry import Registry
from mrbench.report.blocks import pack_cases
from mrbench.report.cases import Order, case_values, choose
from mrbench.report.choices import Choices
from mrbench.report.entry import Entry


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


def gallery_of(entries: Sequence[Entry], table: DatasetTable, registry: Registry, choices: Choices) -> Gallery:
    """The test cases of a data set with the draws of all methods.

    What else stands on a page needs neither images nor draws: where they cannot be had, the gallery says why.
    """
    shown = [entry for entry in entries if entry.shown(choices.fold)]
    if not shown or not table.metrics:
        where = "" if choices.fold is None else f" in fold {choices.fold}"
        return Gallery(absent=f"No cell of this data set has finished{where}.")
    try:
        cases = load_cases(shown[0].results[0].spec, registry, shown[0].run)
    except Exception as error:  # a data set's own code may raise anything
        return Gallery(absent=f"The images of {table.dataset!r} are not available: {_sentence(error)}")
    try:
        return _packed(shown, cases, table, registry, choices)
    except MrbenchError as error:
        return Gallery(absent=f"The cases cannot be shown: {_sentence(error)}")


def _packed(
    shown: Sequence[Entry], cases: CaseSet, table: DatasetTable, registry: Registry, choices: Choices
) -> Gallery:
    plugins = applicable_metrics(registry, table.description["raters"], tuple(table.metrics))
    values = case_values(shown, plugins, choices.protocol, choices.fold)
    order = _first_order(choices.metric, shown, table)
    chosen = choose(values, choices.count(volumes=cases.is_volume), order)
    packed = pack_cases(shown, cases, chosen, list(table.metrics), choices.samples)
    notes = [*_left_out(len(chosen), len(values), order), *packed.notes, *_trials(shown)]
    return Gallery({**packed.index, **_orders(table.metrics, order)}, packed.blocks, notes)


def _first_order(metric: str, shown: Sequence[Entry], table: DatasetTable) -> Order:
    # The first method that has the metric asked for; where none has it, the first metric that one has.
    ranked = sorted(shown, key=lambda entry: entry.people)
    for name in dict.fromkeys([metric, *table.metrics]):
        for entry in ranked:
            if name in table.metrics and name in entry.row.metrics:
                return Order(entry.label, name, table.metrics[name].direction)
    name = next(iter(table.metrics))
    return Order(ranked[0].label, name, table.metrics[name].direction)


def _sentence(error: Exception) -> str:
    if not isinstance(error, MrbenchError):
        return f"{type(error).__name__}: {' '.join(str(error).split())}."
    return f"{' '.join(error.what.split())}" + (f" ({error.found})." if error.found else ".")


def _left_out(chosen: int, found: int, order: Order) -> Iterator[str]:
    if chosen < found:
        yield f"{chosen} of {found} test cases, spread evenly over the order by {order.metric} of {order.label}."


def _trials(shown: Sequence[Entry]) -> Iterator[str]:
    if any(entry.people for entry in shown):
        yield "Of a row for people that is scored in several trials per case, the draws of the first are here."


def _orders(metrics: Mapping[str, MetricRecord], order: Order) -> dict[str, Any]:
    listed = [{"name": name, "direction": record.direction.value} for name, record in metrics.items()]
    return {"metrics": listed, "metric": order.metric, "of": order.label}
