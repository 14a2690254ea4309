"""Rows for people: every fusion that is installed, scored by every metric that applies, as a run scores them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from mrbench.agreement.bounds import BOUNDS
from mrbench.configuration import Config
from mrbench.data.case import Case
from mrbench.data.description import Description
from mrbench.engine.plan import capabilities_fit
from mrbench.engine.predict import Predictor
from mrbench.engine.score import applicable_metrics
from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import CaseScores, MetricValue, Row, reduce_fold, score_case
from mrbench.records import MetricRecord
from mrbench.registry import Registry
from mrbench.seeds import derive_seed
from mrbench.statistics.bootstrap import Estimate, bootstrap_value
from mrbench.statistics.subjects import subject_table


@dataclass(frozen=True, eq=False)
class Scored:
    """A metric of a row.

    Attributes:
        value: as the harness reduces a fold: over subjects, raters and classes.
        estimate: the same value with its interval.
    """

    value: MetricValue
    estimate: Estimate


@dataclass(frozen=True, eq=False)
class PeopleRow:
    """A row made of people's masks.

    Attributes:
        name, summary: of the fusion.
        metrics: that have a value.
        faults: why something is missing, one sentence each.
    """

    name: str
    summary: str
    metrics: Mapping[str, Scored]
    faults: Sequence[str]


@dataclass(eq=False)
class _Fusion:
    """A fusion at work, and what it has left so far; one that fails is asked no more."""

    name: str
    summary: str
    predictor: Predictor | None
    scores: CaseScores = field(default_factory=CaseScores)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, case: Case, metrics: Mapping[str, Metric], protocol: ScoringProtocol) -> None:
        if self.predictor is None:
            return
        try:
            trials = [predicted.tables for predicted in self.predictor.predict(case)]
        except Exception as error:
            self.predictor, self.scores = None, CaseScores()
            self.faults = {"": f"case {case.id!r}: {type(error).__name__}: {error}"}
            return
        values: dict[tuple[str, Key], np.ndarray] = {}
        for name, metric in metrics.items():
            try:
                values |= _finite(score_case(trials, {name: metric}, protocol))
            except Exception as error:
                self.faults.setdefault(name, f"metric {name!r}, case {case.id!r}: {type(error).__name__}: {error}")
        self.scores.append(case.id, case.subject, values)


def _finite(own: Mapping[tuple[str, Key], np.ndarray]) -> Mapping[tuple[str, Key], np.ndarray]:
    if not all(isfinite(number) for statistics in own.values() for number in statistics.ravel().tolist()):
        raise ValueError("a value that is not finite")
    return own


class People:
    """Takes the cases one by one and keeps their scores alone.

    Args:
        registry: of fusions and metrics.
        description: of the data set.
        samples: asked for per case.
        protocol: how draws become numbers.
        only: metrics wanted; none: all that apply.

    Raises:
        UnknownNameError: a metric that is not installed.
    """

    def __init__(
        self,
        registry: Registry,
        description: Description,
        samples: int,
        protocol: ScoringProtocol,
        only: tuple[str, ...] = (),
    ) -> None:
        plugins = applicable_metrics(registry, description.raters, only)
        self.records: dict[str, MetricRecord] = {name: plugin.record for name, plugin in plugins.items()}
        self.metrics: dict[str, Metric] = {name: plugin.load()() for name, plugin in plugins.items()}
        self.protocol = protocol
        self.fusions = [*_installed(registry, description, samples), *_own(description, samples)]

    def add(self, case: Case) -> None:
        """Scores every row on one more case."""
        for fusion in self.fusions if self.metrics else ():
            fusion.add(case, self.metrics, self.protocol)

    def rows(self) -> list[PeopleRow]:
        """Every row, reduced over the cases so far."""
        return [self._row(fusion) for fusion in self.fusions]

    def _row(self, fusion: _Fusion) -> PeopleRow:
        values = reduce_fold(fusion.scores, self.metrics, self.protocol)
        rows: dict[str, list[Row]] = {}
        for row in fusion.scores:
            rows.setdefault(row.metric, []).append(row)
        subjects = tuple(dict.fromkeys(subject for _, subject, _ in fusion.scores.cases))
        found = {
            name: Scored(value, self._estimate(rows[name], name, subjects))
            for name, value in values.items()
            if name not in fusion.faults
        }
        return PeopleRow(fusion.name, fusion.summary, found, tuple(fusion.faults.values()))

    def _estimate(self, rows: Sequence[Row], name: str, subjects: Sequence[str]) -> Estimate:
        table = subject_table(rows, self.metrics[name], self.protocol, subjects)
        return bootstrap_value({0: [table]})


def _installed(registry: Registry, description: Description, samples: int) -> Iterator[_Fusion]:
    for plugin in registry.of_kind("method"):
        record = plugin.record
        if record.kind != "fusion":
            continue
        reasons = capabilities_fit(record, description)
        if reasons:
            yield _Fusion(plugin.key, record.summary, None, faults={"": f"not applicable: {'; '.join(reasons)}"})
        else:
            fusion = plugin.load()(plugin.load_config().parse({}, owner=plugin.key), description)
            yield _Fusion(plugin.key, record.summary, _predictor(record, description, samples, fusion))


def _own(description: Description, samples: int) -> Iterator[_Fusion]:
    for record, fusion in BOUNDS:
        bound = fusion(Config(), description)
        yield _Fusion(record.name, record.summary, _predictor(record, description, samples, bound))


def _predictor(record: Any, description: Description, samples: int, fusion: Any) -> Predictor:
    seed = derive_seed(0, description.name, "agreement")
    return Predictor.of_fusion(record, description, samples, fusion, seed)
