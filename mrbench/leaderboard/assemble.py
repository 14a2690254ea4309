"""Assembling: from the entries that verified and reported figures to the board that tables and pages show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mrbench import __version__
from mrbench.leaderboard.asked import Asker
from mrbench.leaderboard.board import Board, DatasetPage, MethodPage
from mrbench.leaderboard.checked import Checked, checked
from mrbench.leaderboard.entry import Entry, MetricFacts
from mrbench.leaderboard.links import links_of
from mrbench.leaderboard.pack import metric_facts
from mrbench.leaderboard.registered import Registered
from mrbench.leaderboard.reported import ReportedLine, read_reported, reported_rows
from mrbench.leaderboard.scores import Definitions
from mrbench.leaderboard.settings import Settings, read_settings
from mrbench.leaderboard.source import description_of, method_run_of, packed_values
from mrbench.leaderboard.store import Stored, age
from mrbench.metrics.protocol import PROTOCOLS, STRICT
from mrbench.registry import Registry
from mrbench.results.baselines import with_floor
from mrbench.results.columns import Column, gain
from mrbench.results.machines import with_machines
from mrbench.results.method_run import MethodRun
from mrbench.results.readers import with_marks
from mrbench.results.table import Row, RowKind, Table, with_best, with_labels

Data = tuple[str, str, str]
"""Data digest, split and split digest."""


def assemble(folder: Path, registry: Registry, cache: Path | None = None, verified: Path | None = None) -> Board:
    """The board in a folder, of the entries that verify; others are listed apart and stop nothing.

    Args:
        cache: a file that keeps what was compared for the next time.
        verified: a file that keeps what was verified.

    Raises:
        DataError: ``board.toml``, ``reported.csv`` or ``registry.json`` cannot be read.
    """
    return assembled(folder, checked(folder, registry, verified), registry, cache)


def assembled(folder: Path, found: Checked, registry: Registry, cache: Path | None = None) -> Board:
    """The board of entries that were checked; errors as for :func:`assemble`."""
    settings, lines, stored = read_settings(folder), read_reported(folder), found.stored
    work = _Work(settings, registry, found.registered, lines)
    names = dict.fromkeys([*(one.entry.spec.domain for one in stored), *(line.dataset for line in lines)])
    datasets = [work.dataset(name, [one for one in stored if one.entry.spec.domain == name]) for name in sorted(names)]
    asker = Asker(registry, Definitions.of(registry, STRICT), cache)
    asked = [one for page in datasets for table in page.tables for one in asker.ask(table, page.raters)]
    asker.save()
    return Board(
        datasets=[page for page in datasets if page.tables],
        methods=_method_pages(stored, datasets, registry),
        asked=asked,
        listed_apart=found.listed_apart,
        built_with=__version__,
        title=settings.title,
    )


class _Work:
    """What all tables of one board share."""

    def __init__(
        self, settings: Settings, registry: Registry, registered: Registered, lines: Sequence[ReportedLine]
    ) -> None:
        self.settings, self.registry, self.registered, self.lines = settings, registry, registered, lines
        self.installed = {plugin.key: metric_facts(plugin.card) for plugin in registry.plugins["metric"]}

    def dataset(self, name: str, stored: Sequence[Stored]) -> DatasetPage:
        by_data: dict[Data, list[Stored]] = {}
        for one in stored:
            by_data.setdefault(_data(one), []).append(one)
        most = sorted(by_data.items(), key=lambda item: (-len(item[1]), item[0]))
        runs = {one.id: method_run_of(one) for one in stored}  # of all tables: they know their caveats and costs
        tables = [self._table(name, protocol, own, runs) for _, own in most for protocol in _protocols(own)]
        tables += self._reported_only(name, {table.protocol for table in tables if not table.changed})
        newest = max(stored, key=age).entry.data if stored else None
        return DatasetPage(
            name=name,
            raters=newest.raters if newest else "",
            rater_names=newest.rater_names if newest else (),
            classes=newest.classes if newest else (),
            unit=newest.unit if newest else "",
            licence=newest.licence if newest else "",
            citation=newest.citation if newest else "",
            origin=newest.origin if newest else "",
            pictures=name in self.settings.pictures,
            tables=tables,
        )

    def _table(self, name: str, protocol: str, stored: Sequence[Stored], runs: Mapping[str, MethodRun]) -> Table:
        columns = self._columns(protocol, stored)
        newest = _newest(stored)
        rows = [self._row(one, runs[one.id], protocol, columns, newest=one.id in newest) for one in stored]
        first = max(stored, key=age).entry
        lines = [line for line in self.lines if line.dataset == name and line.scoring == protocol]
        lines = [] if first.spec.data_settings else lines  # of other data than a paper's
        reported = reported_rows(lines, columns)
        computed = with_floor(with_machines(ordered(rows, columns)), columns)
        rows = with_best(with_labels([*computed, *reported]), columns)
        notes = ("none of the reported figures is of a metric of this table",) if lines and not reported else ()
        table = Table(name, description_of(first), first.spec.data_settings, protocol, columns, rows, notes)
        return with_marks(table, self.registry)

    def _row(
        self, stored: Stored, run: MethodRun, protocol: str, columns: Mapping[str, Column], *, newest: bool
    ) -> Row:
        packed = packed_values(stored.entry, protocol, self._folds(stored.entry))
        values = {name: packed[name] for name in columns if name in packed}
        faults = [fault for one in run.results for fault in one.faults]
        return replace(Row.of(run, values, faults), newest=newest)

    def _folds(self, entry: Entry) -> int:
        """How many there are: an entry that leaves one out is incomplete."""
        line = self.registered.of(entry)
        return len({*(line.folds if line else ()), *(cell.fold for cell in entry.cells)})

    def _columns(self, protocol: str, stored: Sequence[Stored]) -> dict[str, MetricFacts]:
        """Metrics that some entry has; they are installed, and say themselves what they are."""
        used = {name for one in stored for name in one.entry.scores.get(protocol, {})}
        return {name: facts for name, facts in self.installed.items() if name in used}

    def _reported_only(self, name: str, shown: set[str]) -> Iterator[Table]:
        # Under the protocols of which no table shows them
        own = [line for line in self.lines if line.dataset == name and line.scoring not in shown]
        for protocol in dict.fromkeys(line.scoring for line in own):
            rows = with_labels(reported_rows([line for line in own if line.scoring == protocol], self.installed))
            columns = {m: facts for m, facts in self.installed.items() if any(m in row.values for row in rows)}
            if rows:
                yield Table(name, {}, {}, protocol, columns, rows)


def _data(stored: Stored) -> Data:
    tested = stored.entry.spec.tested
    return tested.data_digest, tested.split, tested.split_digest


def ordered(rows: Iterable[Row], columns: Mapping[str, Column]) -> list[Row]:
    """Kinds of rows in their order, newest before history, complete before failed, then by the first column."""
    first = next(iter(columns), "")
    sign = -gain(columns[first]) if first and gain(columns[first]) else 1

    def place(row: Row) -> tuple[int, bool, bool, bool, float, str, str]:
        value = row.values[first].mean if first in row.values else 0.0
        return (
            row.kind.place,
            not row.newest,
            not row.complete,
            first not in row.values,
            sign * value,
            row.method,
            row.id,
        )

    return sorted(rows, key=place)


def _protocols(stored: Sequence[Stored]) -> list[str]:
    """Of some entry, in their order; strict for entries without any score."""
    used = {name for one in stored for name in one.entry.scores}
    return [name for name in PROTOCOLS if name in used] or ["strict"]


def _newest(stored: Sequence[Stored]) -> set[str]:
    """Ids of the newest entry of each method with its options, S and conditions."""
    found: dict[object, Stored] = {}
    for one in sorted(stored, key=age):
        entry = one.entry
        options = tuple(sorted(entry.options.items()))
        found[entry.method, options, entry.samples, entry.conditions] = one
    return {one.id for one in found.values()}


def _method_pages(stored: Sequence[Stored], datasets: Sequence[DatasetPage], registry: Registry) -> list[MethodPage]:
    history: dict[str, list[Stored]] = {}
    for one in sorted(stored, key=age, reverse=True):
        history.setdefault(one.entry.method, []).append(one)
    reported: dict[str, dict[int, tuple[str, Row]]] = {}
    for page in datasets:
        for row in (row for table in page.tables for row in table.rows if row.kind is RowKind.REPORTED):
            reported.setdefault(row.method, {})[id(row)] = page.name, row
    names = sorted({*history, *reported})
    return [
        _method_page(name, history.get(name, []), list(reported.get(name, {}).values()), registry) for name in names
    ]


def _method_page(
    name: str, history: Sequence[Stored], reported: Sequence[tuple[str, Row]], registry: Registry
) -> MethodPage:
    about = history[0].entry.about if history else None
    record = registry.get("method", name).card if name in registry.names("method") else None
    return MethodPage(
        name=name,
        summary=record.summary if record else about.summary if about else "",
        citation=record.citation if record else about.citation if about else "",
        licence=record.licence if record else about.licence if about else "",
        human=bool(history) and history[0].entry.human,
        history=history,
        reported=reported,
        links=links_of(record, name),
    )
