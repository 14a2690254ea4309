"""Paired differences: what B gives beyond A on the cases that both have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.compare.operands import MethodCells
from mrbench.compare.pairs import Pair
from mrbench.compare.scores import FoldRows, ScoreReader
from mrbench.errors import IncompatibleError
from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import Row
from mrbench.records import Direction, MetricRecord, Need
from mrbench.statistics.bootstrap import Estimate, Folds, bootstrap_difference, fold_values
from mrbench.statistics.subjects import SubjectTable, mean_of_present, subject_table

TIE = 1e-12
"""Values that differ by no more are the same: sums in another order differ by less."""

FEW_SUBJECTS = 20
"""With fewer subjects in a fold, the percentile interval covers notably less than its level."""


@dataclass(frozen=True)
class Tally:
    """On how many of n B is better, and on how many both are the same."""

    better: int
    ties: int
    n: int


@dataclass(frozen=True)
class Difference:
    """One metric of a comparison.

    Attributes:
        a, b: mean over the folds, on what both have.
        estimate: B - A with its interval.
        subjects, folds: on how many B is better; None where no direction is better.
        cases: pairs.
        without_partner: cases of A and of B that the other does not have, in the folds that both have.
        fewest: subjects of the fold that has the fewest.
        flags: what a reader must know of it.
    """

    metric: str
    a: float
    b: float
    estimate: Estimate
    subjects: Tally | None
    folds: Tally | None
    cases: int
    without_partner: tuple[int, int]
    fewest: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two methods on one data set.

    Attributes:
        protocol: the scoring protocol of both.
        metrics: records of those that are compared.
        alone: metrics that only one of them has.
        notes: what a reader must know of it.
    """

    a: MethodCells
    b: MethodCells
    protocol: ScoringProtocol
    metrics: Mapping[str, MetricRecord]
    differences: Sequence[Difference]
    alone: Sequence[str]
    notes: Sequence[str]


def compare(pair: Pair, reader: ScoreReader, *, seed: int = 0) -> Comparison:
    """Every metric that both methods have, on the folds and cases that both have.

    Raises:
        UnknownNameError: a metric that is not installed.
        IncompatibleError: other data or splits, or scores of another protocol that cannot be computed again.
        DataError: a file that cannot be read.
    """
    pair.check_same_data()
    records = reader.records(pair.a)
    a, b = reader.scores(pair.a), reader.scores(pair.b)
    differences = []
    for name, record in records.items():
        if name in a.rows and name in b.rows:
            paired = _Paired.of(a.rows[name], b.rows[name], reader.load(name), reader.protocol)
            if paired.a:
                differences.append(_difference(pair, record, name, paired, seed))
    compared = {difference.metric for difference in differences}
    alone = [name for name in records if (name in a.rows or name in b.rows) and name not in compared]
    faults = dict.fromkeys([*a.faults, *b.faults])
    return Comparison(
        pair.a, pair.b, reader.protocol, records, differences, alone, [*_notes(pair, differences), *faults]
    )


def check_something(comparisons: Sequence[Comparison]) -> None:
    """Refuses a comparison of nothing.

    Raises:
        IncompatibleError: no pair has a metric and a case in common.
    """
    if not any(comparison.differences for comparison in comparisons):
        notes = [note for comparison in comparisons for note in comparison.notes]
        raise IncompatibleError(
            "nothing can be compared: no metric has a case that both have", found="; ".join(dict.fromkeys(notes))
        )


@dataclass(frozen=True, eq=False)
class _Paired:
    """One metric of both methods, on the folds, cases, classes and raters that both have."""

    a: Folds
    b: Folds
    cases: int
    without_partner: tuple[int, int]
    same_columns: bool

    @classmethod
    def of(cls, a: FoldRows, b: FoldRows, metric: Metric, protocol: ScoringProtocol) -> "_Paired":
        found = {fold: _PairedFold.of(a[fold], b[fold]) for fold in sorted(set(a) & set(b))}
        folds = {fold: paired for fold, paired in found.items() if paired.columns}
        cases = sum(len(paired.cases) for paired in folds.values())
        return cls(
            {fold: [paired.table(rows, metric, protocol) for rows in a[fold]] for fold, paired in folds.items()},
            {fold: [paired.table(rows, metric, protocol) for rows in b[fold]] for fold, paired in folds.items()},
            cases,
            (_n_cases(a, folds) - cases, _n_cases(b, folds) - cases),
            all(paired.same_columns for paired in folds.values()),
        )


@dataclass(frozen=True, eq=False)
class _PairedFold:
    cases: set[tuple[str, str]]
    columns: set[tuple[int, int | None]]
    same_columns: bool

    @classmethod
    def of(cls, a: Sequence[Sequence[Row]], b: Sequence[Sequence[Row]]) -> "_PairedFold":
        cases = set.intersection(*({_case(row) for row in rows} for rows in (*a, *b)))
        columns = [{(row.label, row.rater) for row in rows if _case(row) in cases} for rows in (*a, *b)]
        shared = set.intersection(*columns)
        return cls(cases, shared, all(own == shared for own in columns))

    def table(self, rows: Sequence[Row], metric: Metric, protocol: ScoringProtocol) -> SubjectTable:
        kept = [row for row in rows if _case(row) in self.cases and (row.label, row.rater) in self.columns]
        return subject_table(kept, metric, protocol, sorted({subject for _, subject in self.cases}))


def _case(row: Row) -> tuple[str, str]:
    return row.case, row.subject


def _n_cases(rows: FoldRows, folds: Iterable[int]) -> int:
    return sum(len({_case(row) for seed in rows[fold] for row in seed}) for fold in folds)


def _difference(pair: Pair, record: MetricRecord, name: str, paired: _Paired, seed: int) -> Difference:
    a, b = fold_values(paired.a), fold_values(paired.b)
    subjects = _subject_values(paired.b) - _subject_values(paired.a)
    return Difference(
        metric=name,
        a=float(np.mean(list(a.values()))),
        b=float(np.mean(list(b.values()))),
        estimate=bootstrap_difference(paired.a, paired.b, seed=seed),
        subjects=_tally(subjects[np.isfinite(subjects)], record.direction),
        folds=_tally(np.array([b[fold] - a[fold] for fold in a]), record.direction),
        cases=paired.cases,
        without_partner=paired.without_partner,
        fewest=min(len(tables[0].subjects) for tables in paired.a.values()),
        flags=tuple(_flags(pair, record, paired)),
    )


def _subject_values(folds: Folds) -> np.ndarray:
    values = [np.stack([table.by_subject() for table in tables], axis=-1) for tables in folds.values()]
    return np.concatenate([mean_of_present(seeds) for seeds in values])


def _tally(differences: np.ndarray, direction: Direction) -> Tally | None:
    if direction is Direction.NEITHER:
        return None
    sign = 1 if direction is Direction.HIGHER else -1
    ties = int((np.abs(differences) <= TIE).sum())
    return Tally(int((sign * differences > TIE).sum()), ties, len(differences))


def _flags(pair: Pair, record: MetricRecord, paired: _Paired) -> Iterator[str]:
    if record.needs is Need.SAMPLES and pair.a.samples != pair.b.samples:
        yield f"S differs: {pair.a.samples} and {pair.b.samples}"
    if not paired.same_columns:
        yield "classes and raters that only one of them has are left out"


def _notes(pair: Pair, differences: Sequence[Difference]) -> Iterator[str]:
    folds = [{result.spec.fold for result in row.done} for row in (pair.a, pair.b)]
    if folds[0] != folds[1]:
        yield f"folds of both: {_listed(folds[0] & folds[1])}; of A: {_listed(folds[0])}; of B: {_listed(folds[1])}"
    seeds = [sorted({result.spec.seed for result in row.done}) for row in (pair.a, pair.b)]
    if len(seeds[0]) != len(seeds[1]):
        yield f"seeds, averaged within a fold: {len(seeds[0])} of A, {len(seeds[1])} of B"
    yield from _without_partner(differences)
    yield from (f"A: {line}" for line in pair.a.failures)
    yield from (f"B: {line}" for line in pair.b.failures)
    yield from dict.fromkeys(f"no interval: {d.estimate.reason}" for d in differences if d.estimate.reason)
    fewest = min((d.fewest for d in differences if d.estimate.interval), default=FEW_SUBJECTS)
    if fewest < FEW_SUBJECTS:
        yield f"a fold has {fewest} subjects only: intervals from so few are too narrow"


def _without_partner(differences: Sequence[Difference]) -> Iterator[str]:
    counts = dict.fromkeys(d.without_partner for d in differences)
    for a, b in counts:
        metrics = [d.metric for d in differences if d.without_partner == (a, b)]
        if a or b:
            of = "" if len(counts) == 1 else f" ({', '.join(metrics)})"
            yield f"cases that only one of them has: {a} of A, {b} of B{of}"


def _listed(folds: set[int]) -> str:
    return ", ".join(map(str, sorted(folds))) or "none"
