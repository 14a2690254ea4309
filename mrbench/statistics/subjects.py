"""The scores of a fold, summed per subject: the fold's value under any weights of the subjects is a matrix product.

Axis letters: U subjects, Q columns (a foreground class, with a rater where the metric tells them apart), L statistics,
T ways to weigh the subjects.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scores import MetricScores
from mrbench.metrics.scoring import case_values


@dataclass(frozen=True, eq=False)
class SubjectTable:
    """One metric of one method on the subjects of one fold.

    Attributes:
        subjects: U names; the order of the first axis.
        labels: ``(Q,)`` int64, the class of each column.
        sums: ``(U, Q, L)`` float64, what each subject adds above the line; zero where it has nothing.
        counts: ``(U, Q)`` float64, what each subject adds below the line; zero where it has nothing.
        finalise: of a pooled metric, from summed statistics ``(L,)`` to a value; None: the value is sum over count.
    """

    subjects: tuple[str, ...]
    labels: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    finalise: Callable[[np.ndarray], float] | None = None

    def values(self, weights: np.ndarray) -> np.ndarray:
        """``(T,)`` the fold's value for weights ``(T, U)``; all ones give what ``reduce_fold`` gives.

        A column without weight is left out of the means over raters and classes, as a column without cases is; where
        none is left the value is NaN.
        """
        return self._reduce(np.tensordot(weights, self.sums, 1), weights @ self.counts)

    def value(self) -> float:
        """The fold's value."""
        return float(self.values(np.ones((1, len(self.subjects))))[0])

    def by_subject(self) -> np.ndarray:
        """``(U,)`` the value of each subject alone."""
        return self._reduce(self.sums, self.counts)

    def _reduce(self, sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
        columns = self._columns(sums, counts)  # (T, Q)
        classes = [mean_of_present(columns[:, self.labels == label]) for label in np.unique(self.labels)]
        return mean_of_present(np.stack(classes, axis=1))

    def _columns(self, sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
        missing = np.full(counts.shape, np.nan)
        if self.finalise is None:
            return np.divide(sums[..., 0], counts, out=missing, where=counts > 0)
        # A finaliser takes one vector: the only place where draws are walked one by one.
        for place in np.argwhere(counts > 0):
            missing[tuple(place)] = self.finalise(sums[tuple(place)])
        return missing


def mean_of_present(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is not NaN; NaN where nothing is left."""
    present = ~np.isnan(values)
    count = present.sum(axis=-1)
    total = np.where(present, values, 0.0).sum(axis=-1)
    missing = np.full(count.shape, np.nan)
    return np.divide(total, count, out=missing, where=count > 0)


def subject_table(
    scores: MetricScores, metric: Metric, protocol: ScoringProtocol, subjects: Sequence[str] = ()
) -> SubjectTable:
    """Sums the rows of one metric per subject and column.

    Args:
        scores: at least one row; cases, classes and raters in any order.
        metric: whose rows they are; says whether statistics are pooled.
        protocol: ``by_subject`` says whether a subject counts once or as often as it has cases.
        subjects: all subjects of the rows, in the order of the table; none: those of the rows, by name.

    Raises:
        ValueError: no row.
        KeyError: a row of another subject.
    """
    if not len(scores):
        raise ValueError("a table of subjects needs at least one row")
    cases = np.unique(scores.case)
    named = [scores.subjects[case] for case in cases.tolist()]
    subjects = subjects or sorted(set(named))
    places = {subject: place for place, subject in enumerate(subjects)}
    of_case = np.zeros(len(scores.cases), np.int64)
    of_case[cases] = [places[name] for name in named]
    columns, column = np.unique(scores.column, return_inverse=True)  # the same for tables of the same columns
    statistics = scores.statistics if metric.pooled else case_values(scores.statistics, metric)[:, None]
    once = protocol.by_subject and not metric.pooled
    sums, counts = _summed((of_case[scores.case], column), statistics, len(places), len(columns), once=once)
    return SubjectTable(tuple(subjects), columns >> 32, sums, counts, metric.finalise if metric.pooled else None)


def _summed(
    at: tuple[np.ndarray, np.ndarray], values: np.ndarray, n_subjects: int, n_columns: int, *, once: bool
) -> tuple[np.ndarray, np.ndarray]:
    sums = np.zeros((n_subjects, n_columns, values.shape[1]))
    counts = np.zeros((n_subjects, n_columns))
    np.add.at(sums, at, values)
    np.add.at(counts, at, 1.0)
    if not once:
        return sums, counts
    return np.divide(sums, counts[..., None], out=sums, where=counts[..., None] > 0), np.minimum(counts, 1.0)
