"""One metric of two methods on what both have: folds, cases, classes and raters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.compare.scores import FoldRows
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import Row
from mrbench.statistics.bootstrap import Folds, fold_values
from mrbench.statistics.subjects import SubjectTable, mean_of_present, subject_table

Case = tuple[str, str]
"""A case and its subject."""


@dataclass(frozen=True, eq=False)
class Paired:
    """One metric of methods A and B.

    Attributes:
        a, b: by fold, a table per seed.
        cases: pairs.
        without_partner: cases of A and of B that the other does not have, in the folds that both have.
        same_columns: have both the same classes and raters?
        case_differences: B less A of each case with its subject, means over seeds; None of a pooled metric, of which
            a case alone has no value.
    """

    a: Folds
    b: Folds
    cases: int
    without_partner: tuple[int, int]
    same_columns: bool
    case_differences: Sequence[tuple[float, str]] | None

    @classmethod
    def of(cls, a: FoldRows, b: FoldRows, metric: Metric, protocol: ScoringProtocol) -> "Paired":
        """The pairs of a metric's rows."""
        folds = _shared_folds([a, b])
        cases = sum(len(paired.cases) for paired in folds.values())
        return cls(
            _tables(a, folds, metric, protocol),
            _tables(b, folds, metric, protocol),
            cases,
            (_n_cases(a, folds) - cases, _n_cases(b, folds) - cases),
            all(paired.same_columns for paired in folds.values()),
            None if metric.pooled else [d for f, one in folds.items() for d in one.differences(a[f], b[f], metric)],
        )

    @property
    def fold_differences(self) -> np.ndarray:
        """``(folds,)`` B less A."""
        a, b = fold_values(self.a), fold_values(self.b)
        return np.array([b[fold] - a[fold] for fold in a])

    @property
    def subject_differences(self) -> np.ndarray:
        """``(U,)`` B less A of each subject in each fold, NaN where one has no value."""
        return _subject_values(self.b) - _subject_values(self.a)

    @property
    def subjects(self) -> list[int]:
        """Their number in each fold."""
        return [len(tables[0].subjects) for tables in self.a.values()]

    @property
    def total_subjects(self) -> int:
        """Different ones in all folds."""
        return len({name for tables in self.a.values() for name in tables[0].subjects})


def aligned(sides: Sequence[FoldRows], metric: Metric, protocol: ScoringProtocol) -> list[Folds]:
    """The tables of several methods, on the folds, cases, classes and raters that all of them have."""
    folds = _shared_folds(sides)
    return [_tables(side, folds, metric, protocol) for side in sides]


def subject_values(folds: Folds) -> dict[str, float]:
    """The value of each subject, mean over its seeds and folds; NaN where it has none."""
    found: dict[str, list[float]] = {}
    for tables in folds.values():
        values = mean_of_present(np.stack([table.by_subject() for table in tables], axis=-1))
        for name, value in zip(tables[0].subjects, values.tolist(), strict=True):
            found.setdefault(name, []).append(value)
    return {name: float(mean_of_present(np.array(values))) for name, values in found.items()}


def _shared_folds(sides: Sequence[FoldRows]) -> dict[int, "_SharedFold"]:
    numbers = sorted(set.intersection(*(set(side) for side in sides)))
    found = {fold: _SharedFold.of([rows for side in sides for rows in side[fold]]) for fold in numbers}
    return {fold: shared for fold, shared in found.items() if shared.columns}


def _tables(
    side: FoldRows, folds: Mapping[int, "_SharedFold"], metric: Metric, protocol: ScoringProtocol
) -> dict[int, list[SubjectTable]]:
    return {fold: [shared.table(rows, metric, protocol) for rows in side[fold]] for fold, shared in folds.items()}


@dataclass(frozen=True, eq=False)
class _SharedFold:
    cases: set[Case]
    columns: set[tuple[int, int | None]]
    same_columns: bool

    @classmethod
    def of(cls, everyone: Sequence[Sequence[Row]]) -> "_SharedFold":
        cases = set.intersection(*({_case(row) for row in rows} for rows in everyone))
        columns = [{(row.label, row.rater) for row in rows if _case(row) in cases} for rows in everyone]
        shared = set.intersection(*columns)
        return cls(cases, shared, all(own == shared for own in columns))

    def kept(self, rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if _case(row) in self.cases and (row.label, row.rater) in self.columns]

    def table(self, rows: Sequence[Row], metric: Metric, protocol: ScoringProtocol) -> SubjectTable:
        return subject_table(self.kept(rows), metric, protocol, sorted({subject for _, subject in self.cases}))

    def differences(
        self, a: Sequence[Sequence[Row]], b: Sequence[Sequence[Row]], metric: Metric
    ) -> list[tuple[float, str]]:
        first, second = (_mean_of_seeds([_case_values(self.kept(rows), metric) for rows in side]) for side in (a, b))
        return [(second[case] - first[case], case[1]) for case in sorted(set(first) & set(second))]


def _mean_of_seeds(seeds: Sequence[Mapping[Case, float]]) -> dict[Case, float]:
    shared = set.intersection(*(set(values) for values in seeds))
    return {case: float(np.mean([values[case] for values in seeds])) for case in shared}


def _case_values(rows: Iterable[Row], metric: Metric) -> dict[Case, float]:
    """The value of each case: raters are averaged, then classes."""
    found: dict[Case, dict[int, list[float]]] = {}
    for row in rows:
        found.setdefault(_case(row), {}).setdefault(row.label, []).append(metric.finalise(row.statistics))
    return {case: float(np.mean([np.mean(raters) for raters in by.values()])) for case, by in found.items()}


def _case(row: Row) -> Case:
    return row.case, row.subject


def _n_cases(rows: FoldRows, folds: Iterable[int]) -> int:
    return sum(len({_case(row) for seed in rows[fold] for row in seed}) for fold in folds)


def _subject_values(folds: Folds) -> np.ndarray:
    values = [np.stack([table.by_subject() for table in tables], axis=-1) for tables in folds.values()]
    return np.concatenate([mean_of_present(seeds) for seeds in values])
