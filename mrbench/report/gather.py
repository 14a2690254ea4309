"""What a page shows, as plain data, from one or several runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mrbench.engine.run import CellResult, Run
from mrbench.engine.summary import SEES_TEST_MASKS, DatasetTable, summarise, with_best
from mrbench.errors import IncompatibleError
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.registry import Registry
from mrbench.report.choices import PARTS, Choices
from mrbench.report.curves import Curve, read_curves
from mrbench.report.entry import Entry
from mrbench.report.facts import Fact, facts_of
from mrbench.report.gallery import Gallery, gallery_of

FoldValues = Mapping[str, Mapping[int, float]]
"""A metric's value by label and fold."""


@dataclass(frozen=True, eq=False)
class DatasetReport:
    """One data set of a page.

    Attributes:
        metric: the chosen one.
        table: the rows of all runs, ``best`` among all of them.
        entries: the rows with their cells.
        facts: what was run on what.
        folds: by metric.
        curves: by label and stage, of every training by its fold and seed.
        gallery: cases to look at, or why there are none.
    """

    metric: str
    table: DatasetTable
    entries: Sequence[Entry]
    facts: Sequence[Fact]
    folds: Mapping[str, FoldValues]
    curves: Mapping[str, Mapping[str, Mapping[str, Curve]]]
    gallery: Gallery


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
    results = [(run, run.cell_results()) for run in runs]
    names = dict.fromkeys(name for run in runs for name in run.descriptions)
    styles: dict[str, int] = {}
    found = {name: _of_dataset(results, name) for name in names}
    datasets = [_dataset(name, own, registry, choices, styles) for name, own in found.items() if own]
    return Report(runs, datasets)


Results = Sequence[tuple[Run, Sequence[CellResult]]]
"""Runs with their cells."""


def _of_dataset(results: Results, name: str) -> Results:
    # Each run alone with this data set; a method all of whose cells an earlier run has stands there only.
    found = []
    seen: set[Path] = set()
    for run, cells in results:
        folders: dict[str, set[Path]] = {}
        for cell in cells:
            if cell.spec.dataset == name:
                folders.setdefault(cell.spec.method, set()).add(cell.spec.folder(run.results).resolve())
        new = {method for method, paths in folders.items() if not paths <= seen}
        seen = seen.union(*folders.values())
        own = [cell for cell in cells if cell.spec.dataset == name and cell.spec.method in new]
        if own:
            found.append((replace(run, descriptions={name: run.descriptions[name]}), own))
    return found


def _dataset(
    name: str, results: Results, registry: Registry, choices: Choices, styles: dict[str, int]
) -> DatasetReport:
    _check_same_data(name, results)
    wanted = _wanted(choices.metric, registry)
    tables = [summarise(run, cells, registry, choices.protocol, wanted)[0] for run, cells in results]
    entries = list(_entries(results, tables, styles))
    table = _joined(tables, entries, choices.metric)
    entries = [replace(entry, row=row) for entry, row in zip(entries, table.rows, strict=True)]
    folds = _by_fold(results, registry, choices.protocol, table, entries)
    curves = {entry.label: _curves(entry) for entry in entries}
    gallery = gallery_of(entries, table, registry, choices)
    return DatasetReport(choices.metric, table, entries, facts_of(results), folds, curves, gallery)


def _check_same_data(name: str, results: Results) -> None:
    seen: dict[tuple[str, str], str] = {}
    for run, cells in results:
        for cell in cells:
            seen.setdefault((cell.spec.data_digest, cell.spec.split_digest), run.id)
    if len(seen) > 1:
        listed = (f"{run}: data {data[:12]}, split {split[:12]}" for (data, split), run in seen.items())
        raise IncompatibleError(
            f"the runs use different data or splits of {name!r}, so that their rows do not compare",
            expected="the same data and split digests",
            found="; ".join(listed),
            hint="a report for each run",
        )


def _entries(results: Results, tables: Sequence[DatasetTable], styles: dict[str, int]) -> Iterator[Entry]:
    """Methods first, then the rows for people."""
    titles = _titles([run for run, _ in results])
    methods = [row.method for table in tables for row in table.rows]
    rows = [
        (row, run, title, [cell for cell in cells if cell.spec.method == row.method])
        for (run, cells), table, title in zip(results, tables, titles, strict=True)
        for row in table.rows
    ]
    for row, run, title, own in sorted(rows, key=lambda one: SEES_TEST_MASKS in one[0].marks):
        label = row.method if methods.count(row.method) == 1 else f"{row.method} ({title})"
        yield Entry(label, styles.setdefault(label, len(styles)), run, own, replace(row, method=label))


def _titles(runs: Sequence[Run]) -> list[str]:
    # The same command in two results folders has one run id.
    ids = [run.id for run in runs]
    return [name if ids.count(name) == 1 else f"{name}, {number}" for number, name in enumerate(ids, 1)]


def _wanted(metric: str, registry: Registry) -> tuple[str, ...]:
    """The metric asked for, those of tables, and the parts of ged; dear ones that nobody asked for are left alone."""
    table = [plugin.key for plugin in registry.plugins["metric"] if plugin.record.table]
    parts = [name for name in PARTS if name in registry.names("metric")]
    return tuple(dict.fromkeys([metric, *table, *parts]))


def _joined(tables: Sequence[DatasetTable], entries: Sequence[Entry], metric: str) -> DatasetTable:
    found = {name: record for table in tables for name, record in table.metrics.items()}
    shown = {name: record for name, record in found.items() if name == metric or record.table}
    return replace(tables[0], metrics=shown, rows=with_best([entry.row for entry in entries], shown))


def _by_fold(
    results: Results, registry: Registry, protocol: ScoringProtocol, table: DatasetTable, entries: Sequence[Entry]
) -> Mapping[str, FoldValues]:
    """A row's values per fold: its summary over the cells of each fold alone."""
    labels = {(id(entry.run), cell.spec.method): entry.label for entry in entries for cell in entry.results}
    values: dict[str, dict[str, dict[int, float]]] = {name: {} for name in table.metrics}
    for run, cells in results if values else ():
        for fold in sorted({cell.spec.fold for cell in cells}):
            alone = [cell for cell in cells if cell.spec.fold == fold]
            for row in summarise(run, alone, registry, protocol, tuple(table.metrics))[0].rows:
                for name in row.metrics:
                    values[name].setdefault(labels[id(run), row.method], {})[fold] = row.metrics[name].mean
    return values


def _curves(entry: Entry) -> Mapping[str, Mapping[str, Curve]]:
    stages: dict[str, dict[str, Curve]] = {}
    for result in entry.finished():
        for stage, curve in read_curves(result.spec.folder(entry.run.results) / "curves.csv").items():
            stages.setdefault(stage, {})[result.spec.place] = curve
    return stages
