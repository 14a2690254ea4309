"""What several method runs have of one metric in common: folds, cases, classes and raters."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import MetricScores
from mrbench.metrics.scoring import case_values, reduce_metric
from mrbench.results.reader import FoldScores
from mrbench.results.table import over_folds
from mrbench.statistics.folds import Folds
from mrbench.statistics.subjects import SubjectTable, subject_table

Case = tuple[str, str]
"""A case and its subject."""


@dataclass(frozen=True, eq=False)
class Paired:
    """One metric of methods A and B.

    Attributes:
        a, b: by fold, a table per seed.
        means: of A and B over the folds, as a table has them.
        cases: pairs.
        of_cases: to which the metric applies, in the folds that both have.
        without_partner: cases of A and of B that the other does not have, in the folds that both have.
        same_columns: have both the same classes and raters?
    """

    a: Folds
    b: Folds
    means: tuple[float, float]
    cases: int
    of_cases: int
    without_partner: tuple[int, int]
    same_columns: bool

    @classmethod
    def of(cls, a: FoldScores, b: FoldScores, metric: Metric, protocol: ScoringProtocol) -> "Paired | None":
        """The pairs of a metric's scores; None where there are none."""
        folds = _shared_folds([a, b])
        if not folds:
            return None
        cases = sum(len(shared.cases) for shared in folds.values())
        return cls(
            _tables(a, folds, metric, protocol),
            _tables(b, folds, metric, protocol),
            (_mean(a, folds, metric, protocol), _mean(b, folds, metric, protocol)),
            cases,
            sum(len({*_applying(a[fold]), *_applying(b[fold])}) for fold in folds),
            (_n_cases(a, folds) - cases, _n_cases(b, folds) - cases),
            all(shared.same_columns for shared in folds.values()),
        )


def aligned(sides: Sequence[FoldScores], metric: Metric, protocol: ScoringProtocol) -> list[Folds]:
    """The tables of several methods, on the folds, cases, classes and raters that all of them have."""
    folds = _shared_folds(sides)
    return [_tables(side, folds, metric, protocol) for side in sides]


def values_by_case(scores: MetricScores, metric: Metric) -> dict[Case, float]:
    """The value of each case by itself: raters are averaged, then classes."""
    values = case_values(scores.statistics, metric)
    places, place = np.unique((scores.case.astype(np.int64) << 32) + scores.label, return_inverse=True)
    by_class = np.bincount(place, values) / np.bincount(place)
    cases, of_case = np.unique(places >> 32, return_inverse=True)
    means = np.bincount(of_case, by_class) / np.bincount(of_case)
    return {(scores.cases[c], scores.subjects[c]): v for c, v in zip(cases.tolist(), means.tolist(), strict=True)}


def _shared_folds(sides: Sequence[FoldScores]) -> dict[int, "_SharedFold"]:
    numbers = sorted(set.intersection(*(set(side) for side in sides)))
    found = {fold: _SharedFold.of([scores for side in sides for scores in side[fold]]) for fold in numbers}
    return {fold: shared for fold, shared in found.items() if len(shared.columns)}


def _tables(
    side: FoldScores, folds: Mapping[int, "_SharedFold"], metric: Metric, protocol: ScoringProtocol
) -> dict[int, list[SubjectTable]]:
    return {
        fold: [subject_table(shared.kept(scores), metric, protocol, shared.subjects) for scores in side[fold]]
        for fold, shared in folds.items()
    }


def _mean(side: FoldScores, folds: Mapping[int, "_SharedFold"], metric: Metric, protocol: ScoringProtocol) -> float:
    # By the reduction that the tables have, so that what loses no case has the same number to the last digit.
    kept = {f: [reduce_metric(shared.kept(own), metric, protocol) for own in side[f]] for f, shared in folds.items()}
    return over_folds(kept, len(kept), protocol).mean


@dataclass(frozen=True, eq=False)
class _SharedFold:
    """What all scores of a fold have: cases, and columns in the order of their numbers."""

    cases: frozenset[Case]
    columns: np.ndarray
    same_columns: bool

    @classmethod
    def of(cls, everyone: Sequence[MetricScores]) -> "_SharedFold":
        cases = frozenset.intersection(*(frozenset(_cases(scores)) for scores in everyone))
        columns = [np.unique(scores.where(_among(scores, cases)).column) for scores in everyone]
        shared = columns[0]
        for own in columns[1:]:
            shared = np.intersect1d(shared, own)
        return cls(cases, shared, all(len(own) == len(shared) for own in columns))

    @property
    def subjects(self) -> list[str]:
        return sorted({subject for _, subject in self.cases})

    def kept(self, scores: MetricScores) -> MetricScores:
        return scores.where(_among(scores, self.cases) & np.isin(scores.column, self.columns))


def _cases(scores: MetricScores) -> list[Case]:
    return [(scores.cases[number], scores.subjects[number]) for number in scores.covered.tolist()]


def _applying(seeds: Sequence[MetricScores]) -> Iterator[Case]:
    for scores in seeds:
        for number in np.union1d(scores.case, scores.without).tolist():
            yield scores.cases[number], scores.subjects[number]


def _among(scores: MetricScores, cases: frozenset[Case]) -> np.ndarray:
    pairs = zip(scores.cases, scores.subjects, strict=True)
    return np.array([pair in cases for pair in pairs], bool)[scores.case]


def _n_cases(side: FoldScores, folds: Iterable[int]) -> int:
    return sum(len({case for scores in side[fold] for case in _cases(scores)}) for fold in folds)
