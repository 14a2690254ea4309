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

from mrbench.statistics.bootstrap import LEVEL, Folds, Interval, check_paired, fold_values
from mrbench.statistics.subjects import SubjectTable


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
        components: variance of the value by source (``subjects``, ``trainings``, ``trainings of A`` ...); empty where
            it cannot be known.
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

    def within(self, margin: float) -> bool:
        """Is it equivalent to 0, by two one-sided tests at 5 % (Schuirmann 1987)?"""
        found = self.interval(0.9)
        return found is not None and -margin < found.low and found.high < margin


def nested_value(folds: Folds, *, trained: bool = True) -> NestedEstimate:
    """The mean over the folds of one method.

    Args:
        folds: at least one.
        trained: False of what is not trained, such as a fusion: another training cannot change it.
    """
    value = _mean(folds)
    reason = _unknowable(folds) or (trained and _untold(folds, "")) or ""
    if reason:
        return NestedEstimate(value, {}, reason=reason)
    return _estimate(
        value, {"subjects": _subjects(folds), **({"trainings": of_trainings(_trainings(folds))} if trained else {})}
    )


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
    value = _mean(b) - _mean(a)
    sides = [(name, own) for name, own, is_trained in (("A", a, trained[0]), ("B", b, trained[1])) if is_trained]
    reason = _unknowable(a) or _unknowable(b) or next((text for name, own in sides if (text := _untold(own, name))), "")
    if reason:
        return NestedEstimate(value, {}, reason=reason)
    if shared:
        pairs = zip(_trainings(a), _trainings(b), strict=True)
        parts = {"trainings": of_trainings([second - first for first, second in pairs])}
    else:
        parts = {f"trainings of {name}": of_trainings(_trainings(own)) for name, own in sides}
    return _estimate(value, {"subjects": _subjects(b, a), **parts})


def pseudo_values(table: SubjectTable) -> np.ndarray:
    """``(U,)`` what each subject says of the fold's value: the jackknife's pseudo-values (Tukey 1958).

    Where the value is a mean over subjects they are the subjects' values; of a pooled metric, or where raters or classes
    are missing in some subjects, they are those of the linear statistic that is nearest.
    """
    n = len(table.subjects)
    return n * table.value() - (n - 1) * table.values(1 - np.eye(n))


def _mean(folds: Folds) -> float:
    return float(np.mean(list(fold_values(folds).values())))


def _unknowable(folds: Folds) -> str:
    alone = [fold for fold, tables in folds.items() if len(tables[0].subjects) < 2]
    return f"fold {min(alone)} has one subject: its spread cannot be known" if alone else ""


def _untold(folds: Folds, name: str) -> str:
    once = [fold for fold, tables in folds.items() if len(tables) < 2]
    if not once:
        return ""
    of = f" of {name}" * bool(name)
    return f"fold {min(once)} has one training{of}: what another would change cannot be known (--seeds 3)"


def _subjects(folds: Folds, less: Folds | None = None) -> Component:
    values = [_over_trainings(own) - (_over_trainings(less[fold]) if less else 0) for fold, own in folds.items()]
    return of_subjects(values, [tables[0].subjects for tables in folds.values()])


def _over_trainings(tables: Sequence[SubjectTable]) -> np.ndarray:
    found: np.ndarray = np.mean([pseudo_values(table) for table in tables], axis=0)
    return found


def _trainings(folds: Folds) -> list[np.ndarray]:
    return [np.array([table.value() for table in tables]) for tables in folds.values()]


def _estimate(value: float, components: Mapping[str, Component]) -> NestedEstimate:
    if not np.isfinite(value):
        return NestedEstimate(value, {}, reason="a fold has no value")
    variance, df = combined(list(components.values()))
    if not np.isfinite(variance):
        return NestedEstimate(value, {}, reason="a fold has no value without one of its subjects")
    return NestedEstimate(value, {name: float(own.variance) for name, own in components.items()}, float(df))
