"""How often B is better than A: of the subjects, and of the trainings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.statistics.equality import TIE
from mrbench.statistics.folds import Folds, check_paired
from mrbench.statistics.nested import NestedEstimate, estimate_of
from mrbench.statistics.subjects import SubjectTable


@dataclass(frozen=True)
class Superiority:
    """How often B is better; what ties counts half.

    Attributes:
        subjects: chance that a training of B is better than one of A on a subject, mean over the folds (the placement
            values of DeLong, DeLong & Clarke-Pearson 1988).
        better, ties, pairs: pairs of a training of A and one of B in which B has the better mean, in which both have
            the same, and all of them.
    """

    subjects: NestedEstimate
    better: int
    ties: int
    pairs: int


def superiority(
    a: Folds, b: Folds, *, sign: int, trained: tuple[bool, bool] = (True, True), shared: bool = False
) -> Superiority:
    """How often B is better than A.

    Args:
        sign: 1 where larger values are better, -1 where smaller ones are.
        trained, shared: as for :func:`~mrbench.statistics.nested.nested_difference`.

    Raises:
        ValueError: they differ in folds or subjects.
    """
    check_paired(a, b)
    kept = {fold: _with_values(a[fold], b[fold]) for fold in a}
    wins = [_wins(_by_subject(a[fold])[:, there], _by_subject(b[fold])[:, there], sign) for fold, there in kept.items()]
    means = [_wins(_means(a[fold]), _means(b[fold]), sign) for fold in a]
    sides = {"trainings of A": (1, 2), "trainings of B": (0, 2)}
    trainings = {name: [fold.mean(axis=axes) for fold in wins] for name, axes in sides.items()}
    parts = {name: own for (name, own), is_trained in zip(trainings.items(), trained, strict=True) if is_trained}
    if shared:
        parts = {"trainings": [np.diagonal(fold.mean(axis=2)) for fold in wins]}
    names = [np.array(a[fold][0].subjects)[there].tolist() for fold, there in kept.items()]
    value = float(np.mean([fold.mean() for fold in wins]))
    subjects = estimate_of(value, [fold.mean(axis=(0, 1)) for fold in wins], names, parts)
    counted = np.concatenate([fold.reshape(-1) for fold in means])
    return Superiority(subjects, int((counted == 1).sum()), int((counted == 0.5).sum()), len(counted))


def _means(tables: Sequence[SubjectTable]) -> np.ndarray:
    """``(S,)``."""
    return np.array([table.value() for table in tables])


def _by_subject(tables: Sequence[SubjectTable]) -> np.ndarray:
    """``(S, U)``."""
    return np.stack([table.by_subject() for table in tables])


def _with_values(a: Sequence[SubjectTable], b: Sequence[SubjectTable]) -> np.ndarray:
    """``(U,)`` does the subject have a value of every training?"""
    return np.isfinite(_by_subject([*a, *b])).all(axis=0)


def _wins(a: np.ndarray, b: np.ndarray, sign: int) -> np.ndarray:
    """``(S of A, S of B, ...)`` 1 where that training of B is better, 1/2 where both are the same, else 0."""
    gain = sign * (b[None] - a[:, None])
    return np.where(np.abs(gain) <= TIE, 0.5, np.where(gain > 0, 1.0, 0.0))
