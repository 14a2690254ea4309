"""The case scores of method runs under one protocol, each cell read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from mrbench.cards import Capability, MetricCard
from mrbench.engine.score import table_metrics
from mrbench.errors import DataError
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import MetricScores, Scores
from mrbench.metrics.scoring import reduce_fold
from mrbench.registry import Plugin, Registry
from mrbench.results.method_run import MethodRun
from mrbench.results.table import Row, Value, values_of

FoldScores = Mapping[int, Sequence[MetricScores]]
"""One metric of one method run: for each fold, the scores of each seed that has the metric."""


@dataclass(frozen=True, eq=False)
class RunScores:
    """All scores of one method run.

    Attributes:
        run: the method run, with the cells marked whose scores cannot be read.
        folds: by metric.
        cells: the fold and the scores of each finished cell.
        faults: what metrics did wrong.
    """

    run: MethodRun
    folds: Mapping[str, FoldScores]
    cells: Sequence[tuple[int, Scores]]
    faults: Sequence[str]


@dataclass(frozen=True, eq=False)
class ScoreReader:
    """Reads scores, from what is stored where it can.

    Attributes:
        only: metrics to read; empty: those meant for tables.
        samples: score the first so many samples of every sample set; None: all.
    """

    registry: Registry
    protocol: ScoringProtocol
    only: tuple[str, ...] = ()
    samples: int | None = None
    _read: dict[int, tuple[MethodRun, RunScores]] = field(default_factory=dict)

    def metrics(self, run: MethodRun) -> dict[str, Plugin[Any]]:
        """Metrics that mean something on the run's data set, by key: those named, else those meant for tables.

        Raises:
            UnknownNameError: a metric that is not installed.
        """
        return table_metrics(self.registry, run.description["raters"], self.only)

    def records(self, run: MethodRun) -> dict[str, MetricCard]:
        """The records of :meth:`metrics`."""
        return {name: plugin.card for name, plugin in self.metrics(run).items()}

    def load(self, name: str) -> Metric:
        """The metric of that key."""
        return _loaded(self.registry.get("metric", name))

    def samples_of(self, run: MethodRun) -> int | None:
        """S that its scores are of; None where the method has no sample set."""
        return self.samples if self._budget(run) else run.samples

    def _budget(self, run: MethodRun) -> int | None:
        return self.samples if Capability.DIVERSE in run.spec.capabilities else None

    def scores(self, run: MethodRun) -> RunScores:
        """The scores of all finished cells of a method run; a file that cannot be read costs its own cell only.

        Raises:
            IncompatibleError: scores that cannot be had under this protocol.
        """
        if id(run) not in self._read:
            self._read[id(run)] = run, self._scores(run)  # the run is kept, so that its number stays its own
        return self._read[id(run)][1]

    def _scores(self, run: MethodRun) -> RunScores:
        metrics = self.metrics(run)
        folds: dict[str, dict[int, list[MetricScores]]] = {}
        cells, faults = list[tuple[int, Scores]](), list[str]()
        errors: dict[int, DataError] = {}
        for place, result in run.finished:
            try:
                stored = result.scores(metrics, self.protocol, self._budget(run))
            except DataError as error:
                errors[place] = error
                continue
            cells.append((result.spec.fold, stored.cases))
            faults += stored.faults.values()
            for name, own in stored.cases.by_metric():
                folds.setdefault(name, {}).setdefault(result.spec.fold, []).append(own)
        return RunScores(run.with_damaged(errors), folds, cells, tuple(dict.fromkeys(faults)))

    def row(self, run: MethodRun) -> Row:
        """The row of a method run, computed from the scores of its cases.

        Raises:
            IncompatibleError: scores that cannot be had under this protocol.
        """
        found = self.scores(run)
        loaded = {name: self.load(name) for name in found.folds}
        cells = [(fold, reduce_fold(scores, loaded, self.protocol)) for fold, scores in found.cells]
        row = Row.of(found.run, values_of(cells, len(run.folds), self.protocol), found.faults)
        return replace(row, samples=self.samples_of(run))

    def value(self, run: MethodRun, metric: str) -> Value | None:
        """The value of one metric, whatever others are read; None where the run has none.

        Raises:
            IncompatibleError: scores that cannot be had under this protocol.
        """
        return replace(self, only=(metric,), _read={}).row(run).values.get(metric)


@cache
def _loaded(plugin: Plugin[Any]) -> Metric:
    metric: Metric = plugin.load()
    return metric
