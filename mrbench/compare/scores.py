"""The case scores of methods under one protocol, each cell read once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrbench.compare.operands import MethodCells
from mrbench.engine.cases import cell_scores
from mrbench.engine.score import applicable_metrics
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import Row
from mrbench.records import MetricRecord
from mrbench.registry import Plugin, Registry

FoldRows = Mapping[int, Sequence[Sequence[Row]]]
"""One metric of one method: for each fold, the rows of each seed that has the metric."""


@dataclass(frozen=True, eq=False)
class MethodScores:
    """All that a comparison needs of one method on one data set.

    Attributes:
        rows: by metric.
        faults: what metrics did wrong.
    """

    rows: Mapping[str, FoldRows]
    faults: Sequence[str]


@dataclass(frozen=True, eq=False)
class ScoreReader:
    """Reads scores, from what is stored where it can.

    Attributes:
        only: metrics to compare; empty: those meant for tables.
    """

    registry: Registry
    protocol: ScoringProtocol
    only: tuple[str, ...] = ()
    _read: dict[tuple[Path, ...], MethodScores] = field(default_factory=dict)

    def metrics(self, row: MethodCells) -> dict[str, Plugin[Any]]:
        """The metrics that are compared on the row's data set, by key.

        Raises:
            UnknownNameError: a metric that is not installed.
        """
        return chosen_metrics(self.registry, row, self.only)

    def records(self, row: MethodCells) -> dict[str, MetricRecord]:
        """The records of :meth:`metrics`."""
        return {name: plugin.record for name, plugin in self.metrics(row).items()}

    def load(self, name: str) -> Metric:
        """The metric of that key."""
        metric: Metric = self.registry.get("metric", name).load()()
        return metric

    def scores(self, row: MethodCells) -> MethodScores:
        """The scores of all finished cells of a row.

        Raises:
            DataError, IncompatibleError: a cell that cannot be read or scored.
        """
        folders = tuple(result.spec.folder(row.run.results) for result in row.done)
        if folders not in self._read:
            self._read[folders] = self._scores(row, folders)
        return self._read[folders]

    def _scores(self, row: MethodCells, folders: Sequence[Path]) -> MethodScores:
        metrics = self.metrics(row)
        rows: dict[str, dict[int, list[list[Row]]]] = defaultdict(lambda: defaultdict(list))
        faults: list[str] = []
        for result, folder in zip(row.done, folders, strict=True):
            assert result.record is not None
            stored = cell_scores(folder, result.record, metrics, self.protocol)
            faults += stored.faults.values()
            own: dict[str, list[Row]] = defaultdict(list)
            for line in stored.cases:
                own[line.metric].append(line)
            for name, lines in own.items():
                rows[name][result.spec.fold].append(lines)
        return MethodScores(rows, tuple(dict.fromkeys(faults)))


def chosen_metrics(registry: Registry, row: MethodCells, only: tuple[str, ...]) -> dict[str, Plugin[Any]]:
    """Metrics that mean something on a row's data set, by key: those named, else those meant for tables.

    Raises:
        UnknownNameError: a metric that is not installed.
    """
    found = applicable_metrics(registry, row.description["raters"], only)
    return {name: plugin for name, plugin in found.items() if only or plugin.record.table}
