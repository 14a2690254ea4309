"""Reduction: trials -> case -> subject -> fold -> data set. Metrics never reduce, and nothing else does."""

import csv
import gzip
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.tables import CaseTables

Place = tuple[str, Key]
"""A metric and a key of it."""

Scores = Mapping[Place, np.ndarray]
"""Statistics of one case by metric and key."""

COLUMNS = ("case", "subject", "metric", "label", "rater", "statistics")


def score_case(
    trials: Sequence[CaseTables], metrics: Mapping[str, Metric], protocol: ScoringProtocol
) -> dict[tuple[str, Key], np.ndarray]:
    """Statistics of one case by metric and key: the mean over the trials in which the key is not missing."""
    collected: defaultdict[tuple[str, Key], list[np.ndarray]] = defaultdict(list)
    for tables in trials:
        for name, metric in metrics.items():
            for key, statistics in metric.statistics(tables, protocol).items():
                collected[name, key].append(statistics)
    return {at: np.mean(values, axis=0) if len(values) > 1 else values[0] for at, values in collected.items()}


class Row(NamedTuple):
    """Statistics of one case under one metric, class and rater."""

    case: str
    subject: str
    metric: str
    label: int
    rater: int | None
    statistics: np.ndarray


class _OneRow(Mapping[Place, np.ndarray]):
    """The statistics of one case in one array; where each key's are is told once for the many cases that are alike."""

    __slots__ = ("_row", "_spans")

    def __init__(self, spans: Mapping[Place, slice], row: np.ndarray) -> None:
        self._spans, self._row = spans, row

    @property
    def layout(self) -> int:
        """The same number for the cases that are alike."""
        return id(self._spans)

    def __getitem__(self, place: Place) -> np.ndarray:
        return self._row[self._spans[place]]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)


def _spans(lengths: Mapping[Place, int]) -> dict[Place, slice]:
    ends = accumulate(lengths.values())
    return {place: slice(end - n, end) for (place, n), end in zip(lengths.items(), ends, strict=True)}


class CaseScores:
    """The statistics of the cases of a fold; append only. Iterates over its rows.

    Attributes:
        cases: (case, subject, its statistics) in the order of appending.
    """

    def __init__(self) -> None:
        self.cases: list[tuple[str, str, _OneRow]] = []
        self._known: dict[tuple[tuple[Place, int], ...], dict[Place, slice]] = {}

    def append(self, case: str, subject: str, scores: Scores) -> None:
        """Adds what :func:`score_case` gave for one case; a case may come in parts."""
        lengths = {place: statistics.size for place, statistics in scores.items()}
        layout = tuple(lengths.items())
        if layout not in self._known:
            self._known[layout] = _spans(lengths)
        row = np.concatenate([np.zeros(0), *(statistics.ravel() for statistics in scores.values())])
        self.cases.append((case, subject, _OneRow(self._known[layout], row)))

    def extend(self, other: "CaseScores") -> None:
        """Adds the cases of another one."""
        self.cases += other.cases

    def metrics(self) -> list[str]:
        """Every metric that a case has, in the order in which they come."""
        return list(dict.fromkeys(metric for places in self._layouts().values() for metric in places))

    def of(self, metric: str) -> Iterator[tuple[str, str, Iterator[tuple[Key, np.ndarray]]]]:
        """Case, subject and statistics by key under one metric; every case."""
        layouts = self._layouts()
        for case, subject, scores in self.cases:
            keys = layouts[scores.layout].get(metric, ())
            yield case, subject, ((key, scores[metric, key]) for key in keys)

    def _layouts(self) -> dict[int, dict[str, list[Key]]]:
        # The keys of each metric, for all the cases that are alike.
        found: dict[int, dict[str, list[Key]]] = {}
        for _, _, scores in self.cases:
            if scores.layout not in found:
                places = found[scores.layout] = {}
                for metric, key in scores:
                    places.setdefault(metric, []).append(key)
        return found

    def __iter__(self) -> Iterator[Row]:
        for case, subject, scores in self.cases:
            for (metric, key), statistics in scores.items():
                yield Row(case, subject, metric, key.label, key.rater, statistics)

    def write_csv(self, path: Path) -> None:
        """Gzipped CSV of all rows, the same bytes for the same scores.

        A statistics vector is written as numbers in full precision with spaces between; ``rater`` is blank where the
        metric does not tell raters apart.
        """
        with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            text = io.TextIOWrapper(packed, encoding="utf-8", newline="")
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows((*row[:5], " ".join(map(repr, row.statistics.tolist()))) for row in self)
            text.flush()
            text.detach()


@dataclass(frozen=True)
class MetricValue:
    """A metric's value on one fold.

    Attributes:
        value: mean over the classes, of means over the raters.
        by_class: mean over the raters, by foreground class.
        by_rater: mean over the classes, by rater; empty where the metric does not tell raters apart.
        n_cases: cases that have a value.
    """

    value: float
    by_class: Mapping[int, float]
    by_rater: Mapping[int, float]
    n_cases: int


@dataclass(frozen=True)
class Summary:
    """Mean over n folds and their standard deviation, None where there is one fold."""

    mean: float
    sd: float | None
    n: int


class _Group(NamedTuple):
    """The rows of one metric, class and rater; subjects by number."""

    cases: list[str]
    subjects: list[int]
    statistics: list[np.ndarray]


def reduce_fold(scores: CaseScores, metrics: Mapping[str, Metric], protocol: ScoringProtocol) -> dict[str, MetricValue]:
    """The fold's value of every metric; a metric that no case has is left out.

    Within each class and rater, cases are averaged (per subject first where ``protocol.by_subject``), or their
    statistics summed where the metric is pooled; then raters, then classes. A rater's value is over the cases where
    the rater has one, so that a rater who saw few cases weighs like the others.
    """
    values = {}
    for name in scores.metrics():  # one at a time, for the values of many cases take much memory as arrays of their own
        groups = _grouped(scores, name)
        by_key = {key: _reduce_group(group, metrics[name], protocol) for key, group in groups.items()}
        n_cases = len({case for group in groups.values() for case in group.cases})
        values[name] = _over_raters_and_classes(by_key, n_cases)
    return values


def _grouped(scores: CaseScores, metric: str) -> dict[Key, _Group]:
    groups: dict[Key, _Group] = defaultdict(lambda: _Group([], [], []))
    numbers: dict[str, int] = {}
    for case, subject, values in scores.of(metric):
        number = numbers.setdefault(subject, len(numbers))
        for key, statistics in values:
            group = groups[key]
            group.cases.append(case)
            group.subjects.append(number)
            group.statistics.append(statistics)
    return groups


def _reduce_group(group: _Group, metric: Metric, protocol: ScoringProtocol) -> float:
    if metric.pooled:
        return metric.finalise(np.sum(group.statistics, axis=0))
    values = np.array([metric.finalise(statistics) for statistics in group.statistics])
    if not protocol.by_subject:
        return float(values.mean())
    cases = np.bincount(group.subjects)
    seen = cases > 0
    return float((np.bincount(group.subjects, values)[seen] / cases[seen]).mean())


def _over_raters_and_classes(by_key: Mapping[Key, float], n_cases: int) -> MetricValue:
    by_class = _means((key.label, value) for key, value in by_key.items())
    by_rater = _means((key.rater, value) for key, value in by_key.items() if key.rater is not None)
    return MetricValue(float(np.mean(list(by_class.values()))), by_class, by_rater, n_cases)


def _means(values: Iterable[tuple[int, float]]) -> dict[int, float]:
    collected: defaultdict[int, list[float]] = defaultdict(list)
    for place, value in values:
        collected[place].append(value)
    return {place: float(np.mean(collected[place])) for place in sorted(collected)}


def reduce_dataset(values: Sequence[float], protocol: ScoringProtocol) -> Summary:
    """Mean and spread over the folds, ``(folds,)``, at least one."""
    sd = float(np.std(values, ddof=protocol.ddof)) if len(values) > 1 else None
    return Summary(float(np.mean(values)), sd, len(values))
