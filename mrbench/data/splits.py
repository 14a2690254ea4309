"""Splits: explicit lists of cases per fold, by subject, with a digest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.digests import digest_json
from mrbench.errors import DataError

LEAKY_PREFIX = "published"
"""Splits whose names begin so repeat a paper's rule, and may split subjects."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Indices of the cases of one train/validation/test split, each ``(n,)`` integers, ascending."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def parts(self) -> dict[str, np.ndarray]:
        """The three lists by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    def leaks(self, subjects: Sequence[str]) -> list[str]:
        """The subjects that are tested and trained or validated on, sorted.

        Args:
            subjects: (N,) the subject of each case.
        """
        learned = {subjects[i] for part in (self.train, self.validation) for i in part}
        return sorted(learned & {subjects[i] for i in self.test})


@dataclass(frozen=True, eq=False)
class Split:
    """The folds of one data set under one rule."""

    name: str
    folds: tuple[Fold, ...]

    @property
    def may_leak(self) -> bool:
        """Does its name say that it repeats a published rule, which may split subjects?"""
        return self.name.startswith(LEAKY_PREFIX)

    def leak_warnings(self, subjects: Sequence[str], *, owner: str) -> list[str]:
        """One line per fold that tests on a subject that it also trains on, naming the first few.

        Args:
            subjects: (N,) the subject of each case.
            owner: the data set, for the message.
        """
        found = [(number, fold.leaks(subjects)) for number, fold in enumerate(self.folds)]
        return [
            f"split {self.name!r} of data set {owner!r} leaks: fold {number} trains and tests on "
            f"{len(shared)} subject{'s' * (len(shared) > 1)}: {', '.join(shared[:3])}{', ...' * (len(shared) > 3)}"
            for number, shared in found
            if shared
        ]

    def digest(self, ids: Sequence[str]) -> str:
        """Digest over the case names of every list of every fold."""
        return digest_json(
            [{name: [ids[i] for i in part] for name, part in fold.parts().items()} for fold in self.folds]
        )

    def check(self, subjects: Sequence[str], *, owner: str) -> None:
        """Refuses lists that overlap, are empty or lie outside the data set, and subjects in two of them.

        The last is let pass where the name says that the split repeats a published rule.

        Args:
            subjects: (N,) the subject of each case.
            owner: the data set, for the message.
        """
        for number, fold in enumerate(self.folds):
            where = f"fold {number} of split {self.name!r} of data set {owner!r}"
            owners: dict[str, str] = {}
            seen: set[int] = set()
            for part, indices in fold.parts().items():
                if part != "validation" and len(indices) == 0:
                    raise DataError(f"{where} has no {part} cases", expected="at least one")
                if len(indices) and not 0 <= indices.min() <= indices.max() < len(subjects):
                    raise DataError(f"{where} names cases outside the data set", expected=f"0..{len(subjects) - 1}")
                if seen & set(indices.tolist()) or len(set(indices.tolist())) < len(indices):
                    raise DataError(f"{where} lists a case twice", found=f"in {part}")
                seen |= set(indices.tolist())
                for subject in {subjects[i] for i in indices}:
                    if owners.setdefault(subject, part) != part and not self.may_leak:
                        raise DataError(
                            f"{where} splits subject {subject!r}",
                            expected="every subject in one part only",
                            found=f"in {owners[subject]} and in {part}",
                        )


def split_by_subject(
    subjects: Sequence[str],
    *,
    folds: int,
    seed: int,
    validation_share: float = 0.15,
    size: Sequence[float] | None = None,
    name: str = "strict",
) -> Split:
    """Folds that no subject crosses, with an inner validation split from the training subjects.

    Args:
        subjects: (N,) the subject of each case.
        folds: how many; each subject is tested in exactly one.
        seed: of the split; separate from every training seed.
        validation_share: of the training subjects of a fold (at least one).
        size: (N,) a size per case; with it, folds are balanced in the mean size of their subjects.

    Raises:
        DataError: fewer than three subjects or fewer subjects than folds.
    """
    unique = sorted(set(subjects))
    if len(unique) < max(3, folds):
        raise DataError(
            f"cannot split {len(unique)} subjects into {folds} folds",
            expected=f"at least {max(3, folds)} subjects",
            found=f"{len(unique)}",
        )
    rng = np.random.Generator(np.random.PCG64(seed))
    order = [unique[i] for i in rng.permutation(len(unique))]
    if size is not None:
        order = _in_strata(order, subjects, size, folds)
    fold_of = {subject: position % folds for position, subject in enumerate(order)}
    return Split(name, tuple(_fold(subjects, order, fold_of, k, validation_share, rng) for k in range(folds)))


def split_with_test(
    subjects: Sequence[str], test: Sequence[bool], *, seed: int, validation_share: float = 0.15, name: str
) -> Split:
    """One fold that tests on given cases and trains on the others, less an inner validation split of their subjects.

    Args:
        subjects: (N,) the subject of each case.
        test: (N,) is the case tested? All cases of a subject agree.
        seed: of the inner validation split; separate from every training seed.
        validation_share: of the training subjects (at least one, where there are two).
    """
    training = sorted({subject for subject, tested in zip(subjects, test, strict=True) if not tested})
    n_validation = min(max(1, round(validation_share * len(training))), max(0, len(training) - 1))
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(training))
    chosen = {training[i] for i in order[:n_validation]}
    part = np.array([0 if t else 1 if s in chosen else 2 for s, t in zip(subjects, test, strict=True)])
    return Split(name, (Fold(*(np.flatnonzero(part == value) for value in (2, 1, 0))),))


def _in_strata(order: list[str], subjects: Sequence[str], size: Sequence[float], folds: int) -> list[str]:
    # Consecutive blocks of `folds` subjects of like size, each block in the order of the permutation:
    # dealing them out round-robin gives every fold one subject of each stratum.
    total: dict[str, list[float]] = {}
    for subject, value in zip(subjects, size, strict=True):
        total.setdefault(subject, []).append(float(value))
    mean = {subject: sum(values) / len(values) for subject, values in total.items()}
    by_size = sorted(order, key=lambda subject: mean[subject])
    place = {subject: position for position, subject in enumerate(order)}
    blocks = [by_size[start : start + folds] for start in range(0, len(by_size), folds)]
    return [subject for block in blocks for subject in sorted(block, key=place.__getitem__)]


def _fold(
    subjects: Sequence[str],
    order: list[str],
    fold_of: dict[str, int],
    k: int,
    validation_share: float,
    rng: "np.random.Generator",  # NumPy imports it when it is first named
) -> Fold:
    training = [subject for subject in order if fold_of[subject] != k]
    n_validation = min(max(1, round(validation_share * len(training))), len(training) - 1)
    chosen = {training[i] for i in rng.permutation(len(training))[:n_validation]}
    part = np.array([0 if fold_of[s] == k else 1 if s in chosen else 2 for s in subjects])
    return Fold(*(np.flatnonzero(part == value) for value in (2, 1, 0)))
