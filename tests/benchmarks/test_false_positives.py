"""How often each test cries wolf where two methods are equal, and how often it sees a difference that is there.

Run: python tests/benchmarks/test_false_positives.py

Slices are nested in subjects: A and B differ on a slice by an effect of the subject, equal in all its slices, and by
noise of the slice. Under the null hypothesis both have mean 0. The naive tests take slices for independent.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from mrbench.seeds import derive_noise
from mrbench.statistics import (
    Folds,
    SubjectTable,
    bootstrap_difference,
    clustered_signed_rank,
    corrected_resampled_t,
    exchange_test,
)
from mrbench.statistics.over_folds import share_tested

DRAWS = 399
"""Exchanges and bootstrap draws of one test: (b + 1) / (m + 1) is exact for any number, and .05 is a multiple."""

FOLDS = 4


@dataclass(frozen=True)
class Setting:
    """Where differences come from.

    Attributes:
        subjects: of all folds.
        slices: of each subject; ``varied``: 1 to 2 n - 1 of them.
        within: standard deviation of the slices' noise, in those of the subjects' effects.
        effect: mean difference in the same unit.
        heavy: are the effects of the subjects those of a t distribution with 3 degrees of freedom?
    """

    subjects: int
    slices: int
    varied: bool = False
    within: float = 1.0
    effect: float = 0.0
    heavy: bool = False

    def draw(self, noise: np.random.Generator) -> list[np.ndarray]:
        """The differences of the slices of each subject."""
        own = noise.standard_t(3, self.subjects) if self.heavy else noise.normal(size=self.subjects)
        sizes = noise.integers(1, 2 * self.slices, self.subjects) if self.varied else [self.slices] * self.subjects
        return [self.effect + u + self.within * noise.normal(size=n) for u, n in zip(own, sizes, strict=True)]

    def __str__(self) -> str:
        slices = f"1-{2 * self.slices - 1}" if self.varied else str(self.slices)
        return f"{self.subjects} x {slices}" + (", heavy" if self.heavy else "")


def folds_of(differences: Sequence[np.ndarray]) -> Folds:
    """Four folds of B's values, subjects in turn; A's are 0."""
    found = {}
    for fold in range(FOLDS):
        means = np.array([values.mean() for values in differences[fold::FOLDS]])
        found[fold] = [
            SubjectTable(
                tuple(f"{fold}-{n}" for n in range(len(means))),
                np.array([1]),
                means[:, None, None],
                np.ones((len(means), 1)),
            )
        ]
    return found


def nothing(folds: Folds) -> Folds:
    return {
        fold: [SubjectTable(t.subjects, t.labels, np.zeros_like(t.sums), t.counts) for t in tables]
        for fold, tables in folds.items()
    }


def naive_t(differences: Sequence[np.ndarray], seed: int) -> bool:
    return bool(stats.ttest_1samp(np.concatenate(differences), 0).pvalue < 0.05)


def naive_wilcoxon(differences: Sequence[np.ndarray], seed: int) -> bool:
    return bool(stats.wilcoxon(np.concatenate(differences), method="asymptotic").pvalue < 0.05)


def exchange(differences: Sequence[np.ndarray], seed: int) -> bool:
    b = folds_of(differences)
    p = exchange_test(nothing(b), b, draws=DRAWS, seed=seed).p
    return p is not None and p <= 0.05


def signed_rank(differences: Sequence[np.ndarray], seed: int) -> bool:
    subjects = [str(number) for number, values in enumerate(differences) for _ in values]
    p = clustered_signed_rank(np.concatenate(differences), subjects, draws=DRAWS, seed=seed).p
    return p is not None and p <= 0.05


def interval(differences: Sequence[np.ndarray], seed: int) -> bool:
    b = folds_of(differences)
    found = bootstrap_difference(nothing(b), b, draws=DRAWS, seed=seed).interval
    return found is not None and not found.low <= 0 <= found.high


def resampled_t(differences: Sequence[np.ndarray], seed: int) -> bool:
    values = [tables[0].value() for tables in folds_of(differences).values()]
    sizes = [len(differences[fold::FOLDS]) for fold in range(FOLDS)]
    p = corrected_resampled_t(values, share_tested(sizes, sum(sizes))).p
    return p is not None and p <= 0.05


WAYS: dict[str, Callable[[Sequence[np.ndarray], int], bool]] = {
    "naive t": naive_t,
    "naive Wilcoxon": naive_wilcoxon,
    "exchange": exchange,
    "signed-rank": signed_rank,
    "bootstrap interval": interval,
    "resampled t": resampled_t,
}
NAIVE, OURS = ("naive t", "naive Wilcoxon"), ("exchange", "signed-rank")

NULL = [
    Setting(8, 5), Setting(8, 20), Setting(20, 5), Setting(20, 20), Setting(50, 5),
    Setting(20, 10, varied=True), Setting(20, 10, varied=True, heavy=True),
]  # fmt: skip
POWER = [Setting(12, 5, effect=0.8), Setting(20, 5, effect=0.8), Setting(20, 10, varied=True, effect=0.8)]


def rates(setting: Setting, repetitions: int, ways: tuple[str, ...] = tuple(WAYS)) -> dict[str, float]:
    """How often each way tells the methods apart."""
    noise, found = derive_noise("false positives", repr(setting)), dict.fromkeys(ways, 0)
    for number in range(repetitions):
        differences = setting.draw(noise)
        for way in ways:
            found[way] += WAYS[way](differences, number)
    return {way: count / repetitions for way, count in found.items()}


def limits(repetitions: int, rate: float = 0.05) -> tuple[float, float]:
    """Between these lies 99.9 % of what so many repetitions give at that rate."""
    low, high = stats.binom.interval(0.999, repetitions, rate)
    return float(low / repetitions), float(high / repetitions)


@pytest.mark.parametrize("setting", [Setting(8, 5), Setting(20, 10, varied=True)], ids=str)
def test_under_the_null_ours_reject_one_in_twenty_and_naive_tests_many_more(setting: Setting):
    found = rates(setting, 300, (*NAIVE, *OURS))
    low, high = limits(300)
    for way in OURS:
        assert low <= found[way] <= high, way
    for way in NAIVE:
        assert found[way] > 0.2, way


def test_ours_see_a_difference_that_is_there():
    found = rates(Setting(20, 5, effect=0.8), 100, OURS)
    assert min(found.values()) > 0.75, found


def test_with_one_slice_per_subject_the_naive_t_test_is_right_and_agrees_with_ours():
    found = rates(Setting(20, 1), 300, ("naive t", "exchange"))
    low, high = limits(300)
    assert all(low <= rate <= high for rate in found.values()), found


def print_table(title: str, settings: Sequence[Setting], repetitions: int) -> None:
    print(f"\n{title}, {repetitions:,} repetitions\n{'subjects x slices':20}" + "".join(f"{way:>20}" for way in WAYS))
    for setting in settings:
        found = rates(setting, repetitions)
        print(f"{setting!s:20}" + "".join(f"{100 * found[way]:18.1f} %" for way in WAYS), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000)
    repetitions = parser.parse_args().repetitions
    print_table("false positives at 5 %: the methods are equal", NULL, repetitions)
    print_table("power: B is better by 0.8 standard deviations of the subjects' effects", POWER, repetitions // 2)
