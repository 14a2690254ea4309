"""What a page shows, as plain data, from one or several runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mrbench.diagnostics.figures import Figure
from mrbench.engine.cell import CURVES
from mrbench.engine.run import Run
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.registry import Registry
from mrbench.report.choices import Choices
from mrbench.report.facts import Fact, facts_of
from mrbench.report.gallery import Gallery, gallery_of
from mrbench.results.curves import Curve, losses_of, read_curves
from mrbench.results.method_run import MethodRun, merged_runs
from mrbench.results.reader import ScoreReader
from mrbench.results.readers import with_readers
from mrbench.results.table import Table
from mrbench.results.tabulate import tabulate
from mrbench.results.variability import variability
from mrbench.statistics.components import VarianceComponents


@dataclass(frozen=True, eq=False)
class DatasetReport:
    """One data set of a page.

    Attributes:
        metric: the chosen one.
        table: the method runs of all runs, human references last.
        styles: number of the colour and marker of each label, the same all over the page.
        facts: what was run on what.
        curves: by label and stage, of every training by its fold and seed.
        diagnoses: by label, the figures of the rows that are diagnosed.
        gallery: cases to look at, or why there are none.
        components: by label and metric of the table, what the values vary by.
    """

    metric: str
    table: Table
    styles: Mapping[str, int]
    facts: Sequence[Fact]
    curves: Mapping[str, Mapping[str, Mapping[str, Curve]]]
    gallery: Gallery
    diagnoses: Mapping[str, Mapping[str, Figure]] = field(default_factory=dict)
    components: Mapping[str, Mapping[str, VarianceComponents]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Report:
    """A page."""

    runs: Sequence[Run]
    datasets: Sequence[DatasetReport]


def gather(runs: Sequence[Run], registry: Registry, choices: Choices) -> Report:
    """Everything that the page of some runs shows.

    Raises:
        UnknownNameError: a metric that is not installed.
        IncompatibleError: runs with different data or splits under one name.
        DataError: results that cannot be read.
    """
    runs = list({run.folder.resolve(): run for run in runs}.values())
    choices = replace(choices, metric=registry.get("metric", choices.metric).key)
    tables = _tables(runs, registry, choices.protocol, choices.metric)
    labels = dict.fromkeys(row.label for table in tables for row in table.rows)
    styles = {label: number for number, label in enumerate(labels)}
    return Report(runs, [_dataset(table, runs, registry, choices, styles) for table in tables])


def _tables(runs: Sequence[Run], registry: Registry, protocol: ScoringProtocol, metric: str) -> list[Table]:
    """A table per data set, in the order in which the runs name them."""
    names = list(dict.fromkeys(name for run in runs for name in run.descriptions))
    found = sorted(merged_runs(runs), key=lambda one: names.index(one.dataset))
    tables = tabulate(found, registry, protocol, _wanted(metric, registry))
    return [_shown(with_readers(table, registry, protocol), metric) for table in tables]


def _wanted(metric: str, registry: Registry) -> tuple[str, ...]:
    """The metric asked for, and those of tables; dear ones that nobody asked for are left alone."""
    table = [plugin.key for plugin in registry.plugins["metric"] if plugin.card.table]
    return tuple(dict.fromkeys([metric, *table]))


def _shown(table: Table, metric: str) -> Table:
    columns = {name: column for name, column in table.columns.items() if name == metric or column.table}
    return replace(table, columns=columns, rows=sorted(table.rows, key=lambda row: row.kind.place))


def _dataset(
    table: Table, runs: Sequence[Run], registry: Registry, choices: Choices, styles: Mapping[str, int]
) -> DatasetReport:
    methods = {row.label: row.run for row in table.rows if row.run}
    reader = ScoreReader(registry, choices.protocol, tuple(table.columns))
    sources = [run for run in runs if any(run.id in method.runs for method in methods.values())]
    return DatasetReport(
        metric=choices.metric,
        table=table,
        styles=styles,
        facts=facts_of(list(methods.values()), sources),
        curves={label: _curves(method) for label, method in methods.items()},
        gallery=gallery_of(table, sources, registry, choices),
        components={label: variability(method, reader) for label, method in methods.items()},
        diagnoses={label: method.diagnosis for label, method in methods.items() if method.diagnosis},
    )


def _curves(method: MethodRun) -> Mapping[str, Mapping[str, Curve]]:
    stages: dict[str, dict[str, Curve]] = {}
    for result in method.done:
        path = result.file(CURVES)
        for loss, curve in losses_of(read_curves(path) if path else {}).items():
            stages.setdefault(loss, {})[result.spec.place] = curve
    return stages
