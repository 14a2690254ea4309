"""Human reference rows: every fusion that is installed, scored by every metric that applies, as a run scores them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mrbench.agreement.bounds import BOUNDS
from mrbench.cards import Capability, MethodCard, MetricCard
from mrbench.configuration import Config
from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.engine.metric_faults import reduce_each
from mrbench.engine.plan import capabilities_fit
from mrbench.engine.predict import Predictor
from mrbench.engine.redraws import redraws_fit
from mrbench.engine.score import applicable_metrics
from mrbench.engine.score_block import CaseScorer
from mrbench.interfaces.fusion import Fuse, bound
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import MetricScores
from mrbench.registry import Registry
from mrbench.results.caveats import SEES_TEST_MASKS
from mrbench.results.table import Row, RowKind, Table, Value, values_of
from mrbench.seeds import derive_seed
from mrbench.statistics.nested import nested_value
from mrbench.statistics.subjects import subject_table


@dataclass(eq=False)
class _Reference:
    """A fusion at work, and its scores so far; one that fails is asked no more.

    Attributes:
        name, summary: of the fusion.
        samples: S.
        predictor: None where the fusion cannot work on the data set, or failed.
        failure: why.
    """

    name: str
    summary: str
    samples: int
    predictor: Predictor | None
    scorer: CaseScorer
    failure: str = ""

    def add(self, case: Case) -> None:
        if self.predictor is None:
            return
        try:
            trials = [predicted.tables for predicted in self.predictor.predict(case)]
        except Exception as error:
            self.predictor = None
            self.failure = f"case {case.id!r}: {type(error).__name__}: {error}"
            return
        self.scorer.add(case.id, case.subject, trials)

    def row(self) -> Row:
        values, faults = ({}, {"": self.failure}) if self.failure else self._reduced()
        return Row(
            label=self.name,
            kind=RowKind.HUMAN,
            values=values,
            samples=self.samples,
            caveats=(SEES_TEST_MASKS,),
            failures=tuple(faults.values()),
            summary=self.summary,
        )

    def _reduced(self) -> tuple[dict[str, Value], dict[str, str]]:
        """Values with intervals, and what metrics did wrong."""
        metrics, protocol = self.scorer.metrics, self.scorer.protocol
        scores = self.scorer.scores.only(set(metrics) - set(self.scorer.faults))
        reduced, faults = reduce_each(scores, metrics, protocol)
        values = {
            name: _with_interval(value, scores.of(name), metrics[name], protocol)
            for name, value in values_of([(0, reduced)], 1, protocol).items()
        }
        return values, {**self.scorer.faults, **faults}


def _with_interval(value: Value, scores: MetricScores, metric: Metric, protocol: ScoringProtocol) -> Value:
    estimate = nested_value({0: [subject_table(scores, metric, protocol)]}, trained=False)
    return replace(value, interval=estimate.interval(), no_interval=estimate.reason)


class References:
    """Takes the cases one by one and keeps their scores alone.

    A row that asks raters again stands there only where the data set can.

    Args:
        registry: of fusions and metrics.
        cases: of the data set.
        samples: asked for per case.
        protocol: how draws become numbers.
        only: metrics wanted; none: all that apply.

    Raises:
        UnknownNameError: a metric that is not installed.
    """

    def __init__(
        self,
        registry: Registry,
        cases: CaseSet,
        samples: int,
        protocol: ScoringProtocol,
        only: tuple[str, ...] = (),
    ) -> None:
        plugins = applicable_metrics(registry, cases.description.raters, only)
        self.description, self.samples, self.protocol = cases.description, samples, protocol
        self.records: dict[str, MetricCard] = {name: plugin.card for name, plugin in plugins.items()}
        self.metrics: dict[str, Metric] = {name: plugin.load() for name, plugin in plugins.items()}
        self.shown = [name for name, record in self.records.items() if only or record.table]
        self.references = [*self._installed(registry, cases), *self._own()]

    def add(self, case: Case) -> None:
        """Scores every row on one more case."""
        for reference in self.references if self.metrics else ():
            reference.add(case)

    def table(self) -> Table:
        """The rows, reduced over the cases so far as one fold, with intervals over subjects.

        They hold the values of all metrics; its columns are those that were named, or else those meant for tables.
        """
        rows = [reference.row() for reference in self.references]
        shown = {name: self.records[name] for name in self.shown if any(name in row.values for row in rows)}
        return Table(self.description.name, self.description.as_json(), {}, self.protocol.name, shown, rows)

    def _installed(self, registry: Registry, cases: CaseSet) -> Iterator[_Reference]:
        for plugin in registry.of_kind("method"):
            if plugin.card.kind != "fusion" or redraws_fit(plugin.card, cases):
                continue
            reasons = capabilities_fit(plugin.card, self.description)
            if reasons:
                yield self._reference(plugin.key, plugin.card, None, f"not applicable: {'; '.join(reasons)}")
            else:
                config = plugin.load_config().parse({}, owner=plugin.key)
                yield self._at_work(plugin.key, plugin.card, bound(plugin.load(), config, self.description))

    def _own(self) -> Iterator[_Reference]:
        for record, fuse in BOUNDS:
            yield self._at_work(record.name, record, bound(fuse, Config(), self.description))

    def _at_work(self, name: str, record: MethodCard, fuse: Fuse) -> _Reference:
        seed = derive_seed(0, self.description.name, "agreement")
        predictor = Predictor.of_fusion(record, self.description, self.samples, fuse, seed)
        return self._reference(name, record, predictor)

    def _reference(self, name: str, record: MethodCard, predictor: Predictor | None, failure: str = "") -> _Reference:
        samples = self.samples if Capability.DIVERSE in record.capabilities else 1
        scorer = CaseScorer(self.metrics, self.protocol)
        return _Reference(name, record.summary, samples, predictor, scorer, failure)
