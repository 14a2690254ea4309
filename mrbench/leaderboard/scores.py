"""Scores of an entry from the cases of its cells: the same function packs them and checks them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from mrbench.cards import MetricCard
from mrbench.digests import digest_json
from mrbench.engine.score import scoring_digests
from mrbench.interfaces.metric import Metric
from mrbench.leaderboard.entry import Score
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import MetricScores, Scores
from mrbench.metrics.scoring import reduce_fold
from mrbench.registry import Plugin, Registry
from mrbench.results.table import Value, values_of
from mrbench.statistics.interval import Interval
from mrbench.statistics.nested import nested_value
from mrbench.statistics.subjects import SubjectTable, subject_table


@dataclass(frozen=True, eq=False)
class Definitions:
    """Metrics as they are installed here.

    Attributes:
        digests: of each metric under the protocol.
    """

    protocol: ScoringProtocol
    metrics: Mapping[str, Metric]
    digests: Mapping[str, str]

    @classmethod
    def of(cls, registry: Registry, protocol: ScoringProtocol) -> "Definitions":
        """Of all metrics that can be loaded."""
        plugins: dict[str, Plugin[MetricCard]] = {plugin.key: plugin for plugin in registry.plugins["metric"]}
        loaded = {name: plugin.load() for name, plugin in plugins.items()}
        return cls(protocol, loaded, scoring_digests(plugins, protocol))


def digest_of_cases(scores: Scores) -> str:
    """A digest of the cases that have a score, with their subjects: cells with equal ones were tested on the same."""
    return digest_json(sorted({*scores.scored_cases()}))


def scores_of(cells: Sequence[tuple[int, Scores]], known: Definitions, *, trained: bool) -> dict[str, Score]:
    """Every metric that a cell has and that is installed.

    Args:
        cells: the fold and the scores of each finished cell.
        trained: would another training change them?

    Raises:
        ValueError: numbers that a metric cannot finalise, or whose value is not finite.
    """
    kept = [(fold, scores.only(known.metrics)) for fold, scores in cells]
    reduced = [(fold, reduce_fold(scores, known.metrics, known.protocol)) for fold, scores in kept]
    values = values_of(reduced, len({fold for fold, _ in cells}), known.protocol)
    return {name: _score(name, value, kept, known, trained=trained) for name, value in values.items()}


def _score(name: str, value: Value, cells: Sequence[tuple[int, Scores]], known: Definitions, *, trained: bool) -> Score:
    if not isfinite(value.mean):
        raise ValueError(f"{name}: the value is not finite")
    folds: dict[int, list[MetricScores]] = {fold: [] for fold in value.folds}
    for fold, scores in cells:
        if len(own := scores.of(name)):
            folds[fold].append(own)
    interval, reason = _interval(folds, known.metrics[name], known.protocol, trained=trained)
    return Score(
        definition=known.digests[name],
        mean=value.mean,
        sd=value.sd,
        folds=dict(value.folds),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        no_interval=reason,
        by_class=dict(value.by_class),
        by_rater=dict(value.by_rater),
        cases=value.cases,
        subjects=len({name for own in folds.values() for name in _subjects(own[:1])}),
        of_cases=value.of_cases,
    )


def _interval(
    folds: Mapping[int, Sequence[MetricScores]], metric: Metric, protocol: ScoringProtocol, *, trained: bool
) -> tuple[Interval | None, str]:
    tables = {fold: _tables(seeds, metric, protocol) for fold, seeds in folds.items()}
    estimate = nested_value(tables, trained=trained)
    return estimate.interval(), estimate.reason


def _tables(seeds: Sequence[MetricScores], metric: Metric, protocol: ScoringProtocol) -> list[SubjectTable]:
    subjects = _subjects(seeds)
    return [subject_table(scores, metric, protocol, subjects) for scores in seeds]


def _subjects(seeds: Sequence[MetricScores]) -> list[str]:
    return sorted({scores.subjects[case] for scores in seeds for case in np.unique(scores.case).tolist()})
