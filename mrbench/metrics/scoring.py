"""Reduction: trials -> case -> subject -> fold -> data set. Metrics never reduce, and nothing else does."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import EVERYWHERE, NOBODY, MetricScores, Scores


def score_case(
    trials: Sequence[CaseTables], metrics: Mapping[str, Metric], protocol: ScoringProtocol
) -> dict[tuple[str, Key], np.ndarray]:
    """Statistics of one case by metric and key: the mean over the trials in which the key is not missing.

    Raises:
        PluginError: a metric gives no vectors of one length for keys of the case.
        Exception: whatever a metric raises.
    """
    collected: defaultdict[tuple[str, Key], list[np.ndarray]] = defaultdict(list)
    for tables in trials:
        for name, metric in metrics.items():
            for key, statistics in metric(tables, protocol).items():
                collected[name, key].append(statistics)
    return {(name, key): _mean(values, metrics[name]) for (name, key), values in collected.items()}


def _mean(trials: Sequence[np.ndarray], metric: Metric) -> np.ndarray:
    if len(trials) == 1:
        return trials[0]
    lengths = sorted({len(vector) for vector in trials})
    if len(lengths) > 1:
        raise metric.wrong("its statistics cannot be averaged over trials", "vectors of one length", lengths)
    found: np.ndarray = np.mean(trials, axis=0)
    return found


def without_value(
    trials: Sequence[CaseTables], metrics: Mapping[str, Metric], found: Collection[tuple[str, Key]]
) -> list[tuple[str, Key]]:
    """Where a metric applies to a case and ``score_case`` found nothing: its keys, or ``EVERYWHERE`` for all of them.

    Where nobody gave an answer there is no trial, and every metric lacks its value.
    """
    return [
        (name, key)
        for name, metric in metrics.items()
        for key in _lacking(trials, metric, {key for own, key in found if own == name})
    ]


def _lacking(trials: Sequence[CaseTables], metric: Metric, found: Collection[Key]) -> list[Key]:
    if not found:
        own = (Key(label) for tables in trials for label in tables.labels if metric.applies(tables, Key(label)))
        return [] if trials and next(own, None) is None else [EVERYWHERE]
    by_rater = any(key.rater is not None for key in found)
    lacking = {
        key: None
        for tables in trials
        for key in _keys(tables, by_rater=by_rater)
        if key not in found and metric.applies(tables, key)
    }
    return list(lacking)


def _keys(tables: CaseTables, *, by_rater: bool) -> Iterator[Key]:
    raters = tables.truth_raters.tolist() if by_rater else [None]
    return (Key(label, rater) for label in tables.labels for rater in raters)


@dataclass(frozen=True)
class MetricValue:
    """A metric's value on one fold.

    Attributes:
        value: mean over the classes, of means over the raters.
        by_class: mean over the raters, by foreground class.
        by_rater: mean over the classes, by rater; empty where the metric does not tell raters apart.
        n_cases: cases that have a value of every class and rater that any case has and that applies to them.
        of_cases: cases to which the metric applies; more than ``n_cases`` where the value does not cover them all.
    """

    value: float
    by_class: Mapping[int, float]
    by_rater: Mapping[int, float]
    n_cases: int
    of_cases: int


@dataclass(frozen=True)
class Summary:
    """Mean over n folds and their standard deviation, None where there is one fold."""

    mean: float
    sd: float | None
    n: int


def reduce_fold(scores: Scores, metrics: Mapping[str, Metric], protocol: ScoringProtocol) -> dict[str, MetricValue]:
    """The fold's value of every metric; a metric that no case has is left out."""
    return {name: reduce_metric(own, metrics[name], protocol) for name, own in scores.by_metric()}


def reduce_metric(scores: MetricScores, metric: Metric, protocol: ScoringProtocol) -> MetricValue:
    """The value of one metric, of at least one row.

    Within each class and rater, cases are averaged (per subject first where ``protocol.by_subject``), or their
    statistics summed where the metric is pooled; then raters, then classes. A rater's value is over the cases where
    the rater has one, so that a rater who saw few cases weighs like the others.
    """
    columns, first = np.unique(scores.column, return_index=True)
    by_key: dict[Key, float] = {}
    for column in columns[np.argsort(first)]:
        own = scores.column == column
        at = int(np.argmax(own))
        rater = int(scores.rater[at])
        key = Key(int(scores.label[at]), None if rater == NOBODY else rater)
        by_key[key] = _reduce_cases(scores.statistics[own], scores.subject[own], metric, protocol)
    of_cases = len(np.union1d(scores.case, scores.without))
    return _over_raters_and_classes(by_key, len(scores.covered), of_cases)


def case_values(statistics: np.ndarray, metric: Metric) -> np.ndarray:
    """``(n,)`` the values of statistics ``(n, L)``, each finalised by itself."""
    if metric.pooled is None:
        return statistics[:, 0].copy()
    return np.array([metric.finalise(row) for row in statistics], np.float64)


def _reduce_cases(statistics: np.ndarray, subject: np.ndarray, metric: Metric, protocol: ScoringProtocol) -> float:
    if metric.pooled:
        return metric.finalise(np.sum(statistics, axis=0))
    values = case_values(statistics, metric)
    if not protocol.by_subject:
        return float(values.mean())
    cases = np.bincount(subject)
    seen = cases > 0
    return float((np.bincount(subject, values)[seen] / cases[seen]).mean())


def _over_raters_and_classes(by_key: Mapping[Key, float], n_cases: int, of_cases: int) -> MetricValue:
    by_class = _means((key.label, value) for key, value in by_key.items())
    by_rater = _means((key.rater, value) for key, value in by_key.items() if key.rater is not None)
    return MetricValue(float(np.mean(list(by_class.values()))), by_class, by_rater, n_cases, of_cases)


def _means(values: Iterable[tuple[int, float]]) -> dict[int, float]:
    collected: defaultdict[int, list[float]] = defaultdict(list)
    for place, value in values:
        collected[place].append(value)
    return {place: float(np.mean(collected[place])) for place in sorted(collected)}


def reduce_dataset(values: Sequence[float], protocol: ScoringProtocol) -> Summary:
    """Mean and spread over the folds, ``(folds,)``, at least one."""
    sd = float(np.std(values, ddof=protocol.ddof)) if len(values) > 1 else None
    return Summary(float(np.mean(values)), sd, len(values))
