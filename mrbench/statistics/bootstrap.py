"""Intervals by resampling: subjects are drawn with replacement within their fold, and all else is reduced as ever.

What is resampled is exactly the quantity in the table: trials -> case -> subject -> fold -> mean over the folds, with
the class and rater structure of ``reduce_fold``. Subjects, not cases, are drawn: the cases of a subject resemble each
other. Folds stay as they are, so an interval says how far a value would move with other test subjects, not with other
trainings: seeds of a fold are averaged within each draw.

Axis letters: U subjects of a fold, T bootstrap draws.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.seeds import derive_noise
from mrbench.statistics.subjects import SubjectTable, mean_of_present

DRAWS = 2000
LEVEL = 0.95

BLOCK = 2**22
"""Numbers that the weights or the sums of one block of draws hold at most."""

Folds = Mapping[int, Sequence[SubjectTable]]
"""One metric of one method: for each fold, a table per seed; the tables of a fold have the same subjects."""


@dataclass(frozen=True)
class Interval:
    """Percentiles of the bootstrap draws.

    Attributes:
        low, high: its ends.
        level: the share of the draws between them.
        draws: that had a value; a draw in which every fold lost all its columns has none. 0: not told.
    """

    low: float
    high: float
    level: float = LEVEL
    draws: int = 0


@dataclass(frozen=True)
class Estimate:
    """A value with its interval, or with the reason why there is none."""

    value: float
    interval: Interval | None
    reason: str = ""


def fold_values(folds: Folds) -> dict[int, float]:
    """The value of each fold: the mean over its seeds."""
    return {fold: float(np.mean([table.value() for table in tables])) for fold, tables in folds.items()}


def bootstrap_value(folds: Folds, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """The mean over the folds, as the table shows it, with its percentile interval.

    A fold with a single subject leaves no interval: what it would give with another subject cannot be known.

    Args:
        folds: at least one.
        draws: T.
        seed: of the draws; each fold has draws of its own, whatever others there are; those that test the same subjects
            share them.
    """
    return _estimate([folds], draws, seed)


def bootstrap_difference(a: Folds, b: Folds, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """The mean over the folds of B less that of A; each draw takes the same subjects for both.

    Otherwise as :func:`bootstrap_value`.

    Raises:
        ValueError: they differ in folds or subjects.
    """
    check_paired(a, b)
    return _estimate([a, b], draws, seed)


def resampled(sides: Sequence[Folds], *, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """``(sides, T)`` the mean over the folds in every draw, NaN where a draw has no value.

    Args:
        sides: methods with the same folds and subjects; each draw takes the same subjects for all.
        draws, seed: as for :func:`bootstrap_value`.
    """
    # Trainings that are tested on the same subjects see the same draw of them.
    first: dict[tuple[str, ...], int] = {}
    streams = {fold: first.setdefault(tuple(tables[0].subjects), fold) for fold, tables in sides[0].items()}
    by_fold = [_resampled_fold([side[fold] for side in sides], streams[fold], draws, seed) for fold in sides[0]]
    return mean_of_present(np.stack(by_fold, axis=-1))


def check_paired(a: Folds, b: Folds) -> None:
    """Refuses what is not paired.

    Raises:
        ValueError: they differ in folds or subjects.
    """
    if set(a) != set(b):
        raise ValueError(f"a paired difference needs the same folds; got {sorted(a)} and {sorted(b)}")
    for fold in a:
        if len({table.subjects for table in (*a[fold], *b[fold])}) > 1:
            raise ValueError(f"a paired difference needs the same subjects in the same order; fold {fold} differs")


def _estimate(sides: Sequence[Folds], draws: int, seed: int) -> Estimate:
    values = [float(np.mean(list(fold_values(side).values()))) for side in sides]
    value = values[-1] - sum(values[:-1])
    alone = [fold for fold, tables in sides[0].items() if len(tables[0].subjects) < 2]
    if alone:
        return Estimate(value, None, f"fold {min(alone)} has one subject: its spread cannot be known")
    drawn = resampled(sides, draws=draws, seed=seed)
    drawn = drawn[-1] - drawn[:-1].sum(axis=0)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) == 0:
        return Estimate(value, None, "no bootstrap draw has a value")
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, Interval(float(low), float(high), LEVEL, len(drawn)))


def _resampled_fold(sides: Sequence[Sequence[SubjectTable]], fold: int, draws: int, seed: int) -> np.ndarray:
    tables = [table for side in sides for table in side]
    widest = max(max(len(table.subjects), table.sums[0].size) for table in tables)
    blocks = []
    for weights in draw_weights(len(tables[0].subjects), fold, draws, seed, block=max(1, BLOCK // widest)):
        seeds = [np.stack([table.values(weights) for table in side], axis=-1) for side in sides]
        blocks.append(np.stack([mean_of_present(values) for values in seeds]))
    return np.concatenate(blocks, axis=1)


def draw_weights(n_subjects: int, fold: int, draws: int, seed: int, *, block: int) -> Iterator[np.ndarray]:
    """``(block, U)`` how often each subject is drawn, block by block; the size of a block changes no draw."""
    noise = derive_noise("bootstrap", seed, fold)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = noise.integers(n_subjects, size=(size, n_subjects)) + n_subjects * np.arange(size)[:, None]
        yield np.bincount(drawn.reshape(-1), minlength=size * n_subjects).reshape(size, n_subjects).astype(np.float64)
