"""Assembling: from the entries and reported figures on disk to the board that tables and pages show."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mrbench import __version__
from mrbench.engine.cell import Status
from mrbench.leaderboard.board import Board, DatasetPage, MethodPage, Row, RowKind, Table
from mrbench.leaderboard.entry import Entry, MetricFacts
from mrbench.leaderboard.pack import metric_facts
from mrbench.leaderboard.reported import ReportedLine, read_reported, reported_rows
from mrbench.leaderboard.rows import RowMaker, age, ordered
from mrbench.leaderboard.scores import Definitions
from mrbench.leaderboard.settings import Settings, read_settings
from mrbench.leaderboard.store import SetAside, Stored, entries
from mrbench.leaderboard.ties import Comparer
from mrbench.metrics.protocol import PROTOCOLS
from mrbench.registry import Registry

Data = tuple[str, str, str]
"""Data digest, split and split digest."""


def assemble(folder: Path, registry: Registry, cache: Path | None = None) -> Board:
    """The board in a folder; what is no valid entry is set aside and stops nothing.

    Args:
        cache: a file that keeps what was compared for the next time.

    Raises:
        DataError: ``board.toml`` or ``reported.csv`` cannot be read.
    """
    settings, lines = read_settings(folder), read_reported(folder)
    found = list(entries(folder))
    stored = [one for one in found if isinstance(one, Stored)]
    known = {name: Definitions.of(registry, protocol) for name, protocol in PROTOCOLS.items()}
    work = _Work(settings, registry, known, Comparer(known, cache), lines)
    names = dict.fromkeys([*(one.entry.dataset for one in stored), *(line.dataset for line in lines)])
    datasets = [work.dataset(name, [one for one in stored if one.entry.dataset == name]) for name in sorted(names)]
    work.comparer.save()
    return Board(
        datasets=[page for page in datasets if page.tables],
        methods=_method_pages(stored, datasets, registry),
        set_aside=[one for one in found if isinstance(one, SetAside)],
        built_with=__version__,
        title=settings.title,
    )


class _Work:
    """What all tables of one board share."""

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        known: Mapping[str, Definitions],
        comparer: Comparer,
        lines: Sequence[ReportedLine],
    ) -> None:
        self.settings, self.known, self.comparer, self.lines = settings, known, comparer, lines
        self.installed = {plugin.key: metric_facts(plugin.record) for plugin in registry.plugins["metric"]}

    def dataset(self, name: str, stored: Sequence[Stored]) -> DatasetPage:
        by_data: dict[Data, list[Stored]] = {}
        for one in stored:
            by_data.setdefault((one.entry.data_digest, one.entry.split, one.entry.split_digest), []).append(one)
        most = sorted(by_data.items(), key=lambda item: (-len(item[1]), item[0]))
        tables = [self._table(name, data, protocol, own) for data, own in most for protocol in _protocols(own)]
        self.comparer.forget()
        tables = tables or list(self._reported_only(name))
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

    def _table(self, name: str, data: Data, protocol: str, stored: Sequence[Stored]) -> Table:
        columns = self._columns(protocol, stored)
        newest = _newest(stored)
        ranked = [one for one in stored if one.id in newest and _may_be_ranked(one.entry)]
        tied = {metric: self.comparer.column(metric, facts, protocol, ranked) for metric, facts in columns.items()}
        agreement = [one for one in stored if one.id in newest and one.entry.method == self.settings.agreement]
        digests = self.known[protocol].digests if protocol in self.known else {}
        maker = RowMaker(protocol, columns, tied, newest, max(agreement, key=age, default=None), digests)
        lines = [line for line in self.lines if line.dataset == name and line.scoring == protocol]
        rows = [*ordered(map(maker.row, stored), columns), *reported_rows(lines, columns)]
        notes = dict.fromkeys(note for own in tied.values() for note in own.notes)
        return Table(
            protocol=protocol,
            data_digest=data[0],
            split=data[1],
            split_digest=data[2],
            changed=max(stored, key=age).entry.dataset_changed,
            columns=columns,
            rows=rows,
            diagrams=tuple(diagram for own in tied.values() for diagram in own.diagrams),
            notes=(*notes, *_left_out(lines, columns)),
        )

    def _columns(self, protocol: str, stored: Sequence[Stored]) -> dict[str, MetricFacts]:
        """Installed metrics say what they are themselves; of others, the newest entry is believed."""
        found: dict[str, MetricFacts] = {}
        for one in sorted(stored, key=age):
            found |= {name: one.entry.metrics[name] for name in one.entry.scores.get(protocol, {})
                      if name in one.entry.metrics}  # fmt: skip
        known = {name: facts for name, facts in self.installed.items() if name in found}
        return known | {name: facts for name, facts in found.items() if name not in known}

    def _reported_only(self, name: str) -> Iterator[Table]:
        own = [line for line in self.lines if line.dataset == name]
        for protocol in dict.fromkeys(line.scoring for line in own):
            lines = [line for line in own if line.scoring == protocol]
            rows = reported_rows(lines, self.installed)
            columns = {m: facts for m, facts in self.installed.items() if any(m in row.figures for row in rows)}
            if rows:
                yield Table(protocol, "", "", "", {}, columns, rows, notes=tuple(_left_out(lines, columns)))


def _protocols(stored: Sequence[Stored]) -> list[str]:
    """Of some entry: those known here in their order, then others; strict for entries without any score."""
    used = dict.fromkeys(name for one in stored for name in one.entry.scores)
    return [name for name in PROTOCOLS if name in used] + [name for name in used if name not in PROTOCOLS] or ["strict"]


def _newest(stored: Sequence[Stored]) -> set[str]:
    """Ids of the newest entry of each method with its options, S and conditions."""
    found: dict[object, Stored] = {}
    for one in sorted(stored, key=age):
        entry = one.entry
        options = tuple(sorted(entry.options.items()))
        found[entry.method, options, entry.samples, entry.conditions] = one
    return {one.id for one in found.values()}


def _may_be_ranked(entry: Entry) -> bool:
    return not entry.people and all(cell.status is Status.OK for cell in entry.cells)


def _left_out(lines: Sequence[ReportedLine], columns: Mapping[str, MetricFacts]) -> Iterator[str]:
    shown = sum(len(row.figures) for row in reported_rows(lines, columns))
    if lines and not shown:
        yield "none of the reported figures is of a metric of this table"


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
    record = registry.get("method", name).record if name in registry.names("method") else None
    return MethodPage(
        name=name,
        summary=record.summary if record else about.summary if about else "",
        citation=record.citation if record else about.citation if about else "",
        licence=record.licence if record else about.licence if about else "",
        people=bool(history) and history[0].entry.people,
        history=history,
        reported=reported,
    )
