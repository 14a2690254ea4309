"""What a difference would be with other subjects *and* other trainings: one test and one interval for both.

Trainings are nested in a method and a fold, as readers are in studies with several readers and several cases, and
subjects are nested in a fold (Dorfman, Berbaum & Metz 1992; Obuchowski & Rockette 1995; degrees of freedom as Hillis
2007). The variance of a mean over the folds is the sum of what its subjects and the trainings of each method leave
open, and the degrees of freedom are Satterthwaite's. What another training *sample* of subjects would change cannot be
known from one data set: all is about new subjects and new trainings on this data set's folds.

Axis letters: U subjects of a fold, S trainings (seeds) of a fold; arrays may have any leading axes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.statistics.folds import Folds, check_paired, fold_values
from mrbench.statistics.interval import LEVEL, Interval
from mrbench.statistics.subjects import SubjectTable

EQUIVALENT = 0.05
"""Below it two one-sided tests call a difference equivalent to none."""


@dataclass(frozen=True, eq=False)
class Component:
    """What one source of noise leaves open of a mean over the folds.

    Attributes:
        variance: of the mean; a number, or one for each of many data sets.
        df: degrees of freedom of that estimate.
    """

    variance: np.ndarray
    df: int


def of_subjects(values: Sequence[np.ndarray], names: Sequence[Sequence[str]]) -> Component:
    """The component of the subjects: the sum over K folds of var(values) / U, divided by K squared.

    A subject that is tested in several folds adds to the mean once, with all that it gives there.

    Args:
        values: ``(..., U)`` of each fold, means over its trainings; two subjects or more.
        names: of each fold's subjects.
    """
    unique = {name: place for place, name in enumerate(dict.fromkeys(name for own in names for name in own))}
    added = np.zeros((*values[0].shape[:-1], len(unique)))
    for own, fold in zip(names, values, strict=True):
        n = fold.shape[-1]
        centred = fold - fold.mean(axis=-1, keepdims=True)
        added[..., [unique[name] for name in own]] += centred / np.sqrt(n * (n - 1)) / len(values)
    return Component(np.square(added).sum(axis=-1), len(unique) - _separate(names))


def _separate(names: Sequence[Sequence[str]]) -> int:
    """Groups of folds that share no subject with each other."""
    groups: list[set[str]] = []
    for own in map(set, names):
        apart = [group for group in groups if not group & own]
        groups = [*apart, own.union(*(group for group in groups if group & own))]
    return len(groups)


def of_trainings(values: Sequence[np.ndarray]) -> Component:
    """The component of a method's trainings: the sum over K folds of var(values) / S, divided by K squared.

    Args:
        values: ``(..., S)`` of each fold, the mean over its subjects for each training; two trainings or more.
    """
    variances = [fold.var(axis=-1, ddof=1) / fold.shape[-1] for fold in values]
    return Component(np.sum(variances, axis=0) / len(values) ** 2, sum(fold.shape[-1] - 1 for fold in values))


def combined(components: Sequence[Component]) -> tuple[np.ndarray, np.ndarray]:
    """The variance of all sources together, and its degrees of freedom (Satterthwaite 1946)."""
    variance = np.sum([own.variance for own in components], axis=0)
    below = np.sum([np.square(own.variance) / own.df for own in components], axis=0)
    return variance, np.divide(np.square(variance), below, out=np.full_like(variance, np.inf), where=below > 0)


@dataclass(frozen=True)
class NestedEstimate:
    """A value, or a difference B - A, with what other subjects and other trainings leave open.

    Attributes:
        value: the mean over the folds.
        components: variance of the value by source (``subjects``, ``trainings``, or ``trainings of A`` and ``... of
            B``); empty where it cannot be known.
        df: degrees of freedom of their sum.
        reason: why it cannot be known.
    """

    value: float
    components: Mapping[str, float]
    df: float = 0.0
    reason: str = ""

    @property
    def error(self) -> float | None:
        """Standard error of the value; None where it cannot be known."""
        return float(np.sqrt(sum(self.components.values()))) if self.components else None

    @property
    def p(self) -> float | None:
        """Two-sided, of a value of 0; None where it cannot be known."""
        from scipy import stats

        if not self.error:
            return None
        return max(float(2 * stats.t.sf(abs(self.value) / self.error, self.df)), np.finfo(float).tiny)

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Holds the expected value in that share of all repetitions; None where it cannot be known."""
        from scipy import stats

        if self.error is None:
            return None
        half = float(stats.t.ppf((1 + level) / 2, self.df)) * self.error if self.error else 0.0
        return Interval(self.value - half, self.value + half, level)

    def equivalence(self, margin: float) -> float | None:
        """The p of "it is within the margin of 0", by two one-sided tests (Schuirmann 1987); None where it cannot be
        known."""
        from scipy import stats

        if self.error is None:
            return None
        left = margin - abs(self.value)
        return float(stats.t.sf(left / self.error, self.df)) if self.error else float(left <= 0)

    def within(self, margin: float) -> bool:
        """Is it equivalent to 0 at 5 %? As much as: does its 90 % interval lie within the margin?"""
        found = self.equivalence(margin)
        return found is not None and found < EQUIVALENT


def estimate_of(
    value: float,
    subjects: Sequence[np.ndarray],
    names: Sequence[Sequence[str]],
    trainings: Mapping[str, Sequence[np.ndarray]],
) -> NestedEstimate:
    """A mean over the folds with what its subjects and trainings leave open.

    Args:
        value: the mean.
        subjects: ``(U,)`` of each fold, what each subject says of its value, means over trainings.
        names: of each fold's subjects.
        trainings: ``(S,)`` of each fold, what each training says of its value, by source.
    """
    variance, df, reason = np.array(np.nan), np.array(0.0), _unknowable(subjects, trainings)
    if not reason:
        components = {"subjects": of_subjects(subjects, names)}
        components |= {name: of_trainings(own) for name, own in trainings.items()}
        variance, df = combined(list(components.values()))
        reason = "" if np.isfinite(value + variance) else "a fold has no value, or none without one of its subjects"
    if reason:
        return NestedEstimate(value, {}, reason=reason)
    return NestedEstimate(value, {name: float(own.variance) for name, own in components.items()}, float(df))


def _unknowable(subjects: Sequence[np.ndarray], trainings: Mapping[str, Sequence[np.ndarray]]) -> str:
    if any(len(fold) < 2 for fold in subjects):
        return "a fold has one subject: what others would change cannot be known"
    once = [name for name, folds in trainings.items() if any(len(fold) < 2 for fold in folds)]
    if not once:
        return ""
    return f"one seed ({' and '.join(once)}): what another training would change cannot be known; run --seeds 3"


def nested_value(folds: Folds, *, trained: bool = True) -> NestedEstimate:
    """The mean over the folds of one method.

    Args:
        folds: at least one.
        trained: False of what is not trained, such as a fusion: another training cannot change it.
    """
    trainings = {"trainings": _trainings(folds)} if trained else {}
    return estimate_of(_mean(folds), _subjects(folds), _names(folds), trainings)


def nested_difference(
    a: Folds, b: Folds, *, trained: tuple[bool, bool] = (True, True), shared: bool = False
) -> NestedEstimate:
    """The mean over the folds of B less that of A.

    Args:
        trained: are A and B trained?
        shared: are A and B two ways to use the same trainings, in the same order within each fold?

    Raises:
        ValueError: they differ in folds or subjects, or share trainings that differ in number.
    """
    check_paired(a, b)
    subjects = [second - first for first, second in zip(_subjects(a), _subjects(b), strict=True)]
    sides = {"trainings of A": _trainings(a), "trainings of B": _trainings(b)}
    parts = {name: own for (name, own), is_trained in zip(sides.items(), trained, strict=True) if is_trained}
    if shared:
        parts = {"trainings": [second - first for first, second in zip(*sides.values(), strict=True)]}
    return estimate_of(_mean(b) - _mean(a), subjects, _names(a), parts)


def pseudo_values(table: SubjectTable) -> np.ndarray:
    """``(U,)`` what each subject says of the fold's value: the jackknife's pseudo-values (Tukey 1958).

    Where the value is a mean over subjects they are the subjects' values; of a pooled metric, or where raters or
    classes are missing in some subjects, they are those of the linear statistic that is nearest.
    """
    n = len(table.subjects)
    return n * table.value() - (n - 1) * table.values(1 - np.eye(n))


def _mean(folds: Folds) -> float:
    return float(np.mean(list(fold_values(folds).values())))


def _names(folds: Folds) -> list[tuple[str, ...]]:
    return [tables[0].subjects for tables in folds.values()]


def _subjects(folds: Folds) -> list[np.ndarray]:
    return [np.mean([pseudo_values(table) for table in tables], axis=0) for tables in folds.values()]


def _trainings(folds: Folds) -> list[np.ndarray]:
    return [np.array([table.value() for table in tables]) for tables in folds.values()]
