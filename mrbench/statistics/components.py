"""What one method's values vary by: variance components of subjects, trainings and folds, with intervals.

The value of subject i of fold f after training s is x_fsi = mean + fold_f + training_fs + subject_fi + rest_fsi.
Components are estimated by the method of moments from the mean squares of that design (Searle, Casella & McCulloch
1992, ch. 4), with unweighted means where folds differ in size. Their intervals are modified large-sample ones, of sums
and differences of mean squares (Graybill & Wang 1980; Ting, Burdick, Graybill, Jeyaratnam & Lu 1990; as in Burdick &
Graybill 1992, 3.3). They suppose normal trainings and folds; of subjects and the rest, of which there are many, the
degrees of freedom are those that the spread of their squares leaves (after Layard 1973).

Axis letters: K folds, S trainings (seeds) of a fold, U subjects of a fold; arrays may have any leading axes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from mrbench.statistics.equality import TIE
from mrbench.statistics.folds import Folds
from mrbench.statistics.interval import LEVEL, Interval
from mrbench.statistics.nested import pseudo_values

SUBJECTS, TRAININGS, FOLDS, REST = "subject", "training", "fold", "subject x training"


@dataclass(frozen=True, eq=False)
class MeanSquare:
    """A mean square.

    Attributes:
        value: a number, or one for each of many data sets.
        df: degrees of freedom.
    """

    value: np.ndarray
    df: np.ndarray


@dataclass(frozen=True)
class VarianceComponent:
    """The variance that one source gives to a value.

    Attributes:
        variance: as estimated; below 0 where its mean square is smaller than what is no part of it, which says that the
            design cannot tell it from none.
        interval: cut at 0.
    """

    variance: float
    interval: Interval

    @property
    def negative(self) -> bool:
        """Is the estimate below 0, by more than rounding?"""
        return self.variance < -(TIE**2)


@dataclass(frozen=True)
class VarianceComponents:
    """The components of one metric of one method, by source; a source of which nothing is known is not there.

    Attributes:
        reasons: why nothing is known of a source, by source.
    """

    sources: Mapping[str, VarianceComponent]
    reasons: Mapping[str, str] = field(default_factory=dict)

    def share(self, source: str) -> float:
        """The source's share of all that varies; negative estimates count as 0."""
        total = sum(max(one.variance, 0.0) for one in self.sources.values())
        return max(self.sources[source].variance, 0.0) / total if total else 0.0


def variance_components(folds: Folds, *, trained: bool = True) -> VarianceComponents:
    """What the values of one method vary by.

    Args:
        folds: at least one.
        trained: False of what is not trained, such as a fusion: another training cannot change it.
    """
    reason = _unknowable(folds, trained)
    if reason:
        return VarianceComponents({}, dict.fromkeys((SUBJECTS, TRAININGS, FOLDS, REST), reason))
    kept = folds if trained else {fold: tables[:1] for fold, tables in folds.items()}
    values = [np.stack([pseudo_values(table) for table in tables]) for tables in kept.values()]
    if not all(np.isfinite(fold).all() for fold in values):
        why = "a fold has no value, or none without one of its subjects"
        return VarianceComponents({}, dict.fromkeys((SUBJECTS, TRAININGS, FOLDS, REST), why))
    found = {source: _component(terms) for source, terms in contrasts(values).items()}
    reasons = {} if trained else dict.fromkeys((TRAININGS, REST), "nothing is trained")
    return VarianceComponents(found, reasons | ({} if FOLDS in found else {FOLDS: "one fold"}))


def _unknowable(folds: Folds, trained: bool) -> str:
    names = [name for tables in folds.values() for name in tables[0].subjects]
    seeds = {len(tables) for tables in folds.values()}
    if any(len(tables[0].subjects) < 2 for tables in folds.values()):
        return "a fold has one subject"
    if len({*names}) < len(names):
        return "folds share subjects"
    if trained and min(seeds) < 2:
        return "one seed; run --seeds 3"
    return "folds differ in seeds" if trained and len(seeds) > 1 else ""


Terms = Sequence[tuple[np.ndarray | float, MeanSquare]]
"""A sum of mean squares, each with its coefficient."""


def contrasts(values: Sequence[np.ndarray]) -> dict[str, Terms]:
    """Each component as the sum of mean squares that has its expectation.

    Args:
        values: ``(..., S, U)`` of each fold; one training of each: nothing is said of trainings.
    """
    seeds, sizes = values[0].shape[-2], [fold.shape[-1] for fold in values]
    per_subject = float(np.mean([1 / size for size in sizes]))
    centred = [fold.mean(axis=-2) - fold.mean(axis=(-2, -1))[..., None] for fold in values]
    subjects = _of_many([np.square(fold) for fold in centred], sum(sizes) - len(sizes))
    means = np.stack([fold.mean(axis=(-2, -1)) for fold in values])
    folds = MeanSquare(means.var(axis=0, ddof=1) if len(values) > 1 else means[0], np.array(len(values) - 1))
    if seeds == 1:
        found: dict[str, Terms] = {SUBJECTS: [(1, subjects)], FOLDS: [(1, folds), (-per_subject, subjects)]}
    else:
        trainings = MeanSquare(
            np.mean([fold.mean(axis=-1).var(axis=-1, ddof=1) for fold in values], axis=0),
            np.array(len(values) * (seeds - 1)),
        )
        squares = [np.square(_rest(fold)).sum(axis=-2) for fold in values]
        rest = _of_many(squares, (seeds - 1) * (sum(sizes) - len(sizes)))
        found = {
            SUBJECTS: [(1, subjects), (-1 / seeds, rest)],
            TRAININGS: [(1, trainings), (-per_subject, rest)],
            FOLDS: [(1, folds), (-1 / seeds, trainings), (-per_subject, subjects), (per_subject / seeds, rest)],
            REST: [(1, rest)],
        }
    return found if len(values) > 1 else {source: terms for source, terms in found.items() if source != FOLDS}


def _rest(fold: np.ndarray) -> np.ndarray:
    """``(..., S, U)`` what neither the training nor the subject says."""
    by_training, by_subject = fold.mean(axis=-1, keepdims=True), fold.mean(axis=-2, keepdims=True)
    return fold - by_training - by_subject + fold.mean(axis=(-2, -1), keepdims=True)


def _of_many(squares: Sequence[np.ndarray], df: int) -> MeanSquare:
    """The mean square of many subjects, with the degrees of freedom that heavy tails leave of it.

    Args:
        squares: ``(..., U)`` of each fold, what each subject adds to the sum of squares.
        df: of the whole, were all normal.
    """
    every = np.concatenate(squares, axis=-1)
    total, spread = every.sum(axis=-1), every.shape[-1] * every.var(axis=-1, ddof=1)
    left = np.divide(2 * np.square(total), spread, out=np.full_like(total, np.inf), where=spread > 0)
    return MeanSquare(total / df, np.minimum(left, df))


def estimate(terms: Terms) -> np.ndarray:
    """The component by the method of moments."""
    return np.sum([coefficient * one.value for coefficient, one in terms], axis=0)


def _component(terms: Terms) -> VarianceComponent:
    low, high = bounds(terms)
    return VarianceComponent(float(estimate(terms)), Interval(max(float(low), 0.0), max(float(high), 0.0)))


def bounds(terms: Terms, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the modified large-sample interval of a component; the ends of what is negative may be too."""
    added = [(coefficient * one.value, one.df) for coefficient, one in terms if coefficient > 0]
    taken = [(-coefficient * one.value, one.df) for coefficient, one in terms if coefficient < 0]
    value, tail = estimate(terms), (1 - level) / 2
    below = _spread(added, taken, tail) + _together(added, tail)
    above = _spread(taken, added, tail) + _together(taken, tail)
    return value - np.sqrt(np.maximum(below, 0)), value + np.sqrt(np.maximum(above, 0))


Part = tuple[np.ndarray, np.ndarray]
"""A mean square with its coefficient, which is no longer negative, and its degrees of freedom."""


def _spread(near: Sequence[Part], far: Sequence[Part], tail: float) -> np.ndarray:
    """The square of the distance to the end of the interval at which the parts of ``near`` are at their largest and
    those of ``far`` at their smallest, but for pairs of one side."""
    squares = [np.square(_lower(df, tail) * value) for value, df in near]
    squares += [np.square(_upper(df, tail) * value) for value, df in far]
    pairs = [_crossed(df, other, tail) * value * less for value, df in near for less, other in far]
    return np.sum([*squares, *pairs], axis=0)


def _lower(df: np.ndarray, tail: float) -> np.ndarray:
    """1 - 1 / F at the upper tail, with any number of degrees of freedom below."""
    from scipy import stats

    return 1 - df / stats.chi2.isf(tail, df)


def _upper(df: np.ndarray, tail: float) -> np.ndarray:
    """1 / F - 1 at the lower tail."""
    from scipy import stats

    return df / stats.chi2.ppf(tail, df) - 1


def _crossed(df: np.ndarray, other: np.ndarray, tail: float) -> np.ndarray:
    from scipy import stats

    f = stats.f.isf(tail, df, other)
    return (np.square(f - 1) - np.square(_lower(df, tail) * f) - np.square(_upper(other, tail))) / f


def _together(parts: Sequence[Part], tail: float) -> np.ndarray:
    """What two parts of one side add: both are rarely at their largest at once."""
    found = np.array(0.0)
    for (value, df), (more, other) in combinations(parts, 2):
        one, two = np.square(_lower(df, tail)) * df / other, np.square(_lower(other, tail)) * other / df
        both = np.square(_lower(df + other, tail) * (df + other)) / (df * other)
        found = found + (both - one - two) * value * more / (len(parts) - 1)
    return found
