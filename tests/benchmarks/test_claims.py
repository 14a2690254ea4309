"""How often the nested test and interval are wrong where the truth is known, beside the procedure that they replaced.

Run: make claims (the main rows), or python tests/benchmarks/test_claims.py --grid (all of them), or with
--trainings RESULTS RUN: random comparisons of disjoint triples of the seeds of one trained method with itself.

Two methods that are equal. The value of method m in fold f after training s for subject i is t_mfs + u_mfi: noise of
the training, and of the subject, whose difference between the methods has standard deviation 1. The procedure before:
subjects exchanged between the two (400 sign flips of the subjects' mean differences), and percentiles of 400 bootstrap
draws of the subjects; both say nothing of trainings.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from scipy import stats

from mrbench.comparison.selection import parse_operand
from mrbench.metrics.protocol import STRICT
from mrbench.registry import discover
from mrbench.results.method_run import MethodRun
from mrbench.results.pairing import aligned
from mrbench.results.reader import ScoreReader
from mrbench.seeds import derive_noise
from mrbench.statistics.nested import combined, nested_difference, of_subjects, of_trainings, pseudo_values
from mrbench.statistics.subjects import SubjectTable

DRAWS = 399


@dataclass(frozen=True)
class World:
    """Where the values come from.

    Attributes:
        subjects, folds, seeds: of each method.
        noise: standard deviation of the difference of two trainings, in those of a subject's difference.
        shape: ``normal``; ``skewed``, the subjects of each method have an exponential distribution; ``lopsided``, their
            differences have; ``failing``, one training in ten is worse by five standard deviations of a training.
        effect: expected B - A.
        shared: is the noise of a training the same in all folds and seeds of a method, as a bad choice made once is?
    """

    subjects: int
    folds: int
    seeds: int
    noise: float
    shape: str = "normal"
    effect: float = 0.0
    shared: bool = False

    def __str__(self) -> str:
        return (
            f"N {self.subjects:3d}, K {self.folds:2d}, S {self.seeds}, noise {self.noise}, {self.shape}"
            + f", effect {self.effect}" * bool(self.effect)
            + ", noise shared by all trainings" * self.shared
        )

    @property
    def names(self) -> list[list[str]]:
        """The subjects of each fold, as even as they can be."""
        return [[str(i) for i in range(fold, self.subjects, self.folds)] for fold in range(self.folds)]

    def draw(
        self, noise: np.random.Generator, sets: int
    ) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """By fold: what subjects differ by ``(sets, U)``, and the noise of A's and of B's trainings ``(sets, S)``."""
        subjects = [self.effect + self._subjects(noise, (sets, len(own))) for own in self.names]
        return subjects, self._trainings(noise, sets), self._trainings(noise, sets)

    def _subjects(self, noise: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        if self.shape == "skewed":
            return (noise.exponential(size=size) - noise.exponential(size=size)) / np.sqrt(2)
        if self.shape == "lopsided":
            return noise.exponential(size=size) - 1
        return noise.normal(size=size)

    def _trainings(self, noise: np.random.Generator, sets: int) -> list[np.ndarray]:
        if self.shared:
            once = self.noise / np.sqrt(2) * noise.normal(size=(sets, 1))
            return [np.repeat(once, self.seeds, axis=1) for _ in range(self.folds)]
        found = [noise.normal(size=(sets, self.seeds)) for _ in range(self.folds)]
        if self.shape == "failing":
            found = [own - 5 * (noise.random(own.shape) < 0.1) + 0.5 for own in found]
        return [self.noise / np.sqrt(2) * own for own in found]


@dataclass(frozen=True)
class Rates:
    """Shares of the data sets in which a procedure tells the two apart, and in which its interval holds the truth."""

    apart: float
    holds: float


def nested(world: World, noise: np.random.Generator, sets: int) -> tuple[Rates, Rates]:
    """What the nested procedure and the one before give on the same data sets."""
    subjects, a, b = world.draw(noise, sets)
    differences = [
        own + (second.mean(axis=1) - first.mean(axis=1))[:, None]
        for own, first, second in zip(subjects, a, b, strict=True)
    ]
    value = np.mean([fold.mean(axis=1) for fold in differences], axis=0)
    # A training's value is its mean over the subjects: their part is the same for all trainings of a fold.
    variance, df = combined([of_subjects(differences, world.names), of_trainings(a), of_trainings(b)])
    error = np.sqrt(variance)
    apart = np.abs(value) > stats.t.ppf(0.975, df) * error
    holds = np.abs(value - world.effect) <= stats.t.ppf(0.975, df) * error
    return Rates(float(apart.mean()), float(holds.mean())), before(world, noise, differences, value)


def before(world: World, noise: np.random.Generator, differences: Sequence[np.ndarray], value: np.ndarray) -> Rates:
    """Exchanges of subjects, and percentiles of bootstrap draws."""
    exchanged, drawn = np.zeros((len(value), DRAWS)), np.zeros((len(value), DRAWS))
    for fold in differences:
        n = fold.shape[1]
        exchanged += fold @ (2 * noise.integers(0, 2, (n, DRAWS)) - 1) / n / world.folds
        drawn += fold @ noise.multinomial(n, np.full(n, 1 / n), DRAWS).T / n / world.folds
    p = (1 + (np.abs(exchanged) >= np.abs(value)[:, None]).sum(axis=1)) / (DRAWS + 1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    return Rates(float((p <= 0.05).mean()), float(((low <= world.effect) & (world.effect <= high)).mean()))


MAIN = [
    World(subjects, folds, 3, noise, shape)
    for (subjects, folds), noise, shape in product(
        [(20, 4), (60, 4), (426, 4)], [0.2, 0.4], ["normal", "skewed", "failing"]
    )
]
"""The designs that tables have, at four folds and three seeds."""

GRID = [
    World(*design) for design in product([20, 60, 426], [2, 4, 10], [3, 5], [0.2, 0.4], ["normal", "skewed", "failing"])
]

UNKNOWABLE = World(60, 4, 3, 0.4, shared=True)
"""What no design with these folds and seeds can hold: it cannot see what all trainings have in common."""

LOPSIDED = [World(subjects, 4, 3, 0.2, "lopsided") for subjects in (20, 60, 426)]
"""Many subjects lose a little and a few win much: with few of them, mean and spread do not tell enough."""

POWER = [World(424, 4, 3, 0.2, effect=effect) for effect in (0.1, 0.2, 0.3)]


def rows(worlds: Sequence[World], sets: int) -> Iterator[tuple[World, Rates, Rates]]:
    for world in worlds:
        yield world, *nested(world, derive_noise("claims", repr(world)), sets)


@pytest.mark.parametrize("world", [MAIN[0], MAIN[5], MAIN[-2]], ids=str)
def test_false_positives_and_coverage_stay_near_their_level(world: World):
    (_, now, _), *_ = rows([world], 2000)
    assert 0.03 <= now.apart <= 0.07
    assert 0.93 <= now.holds <= 0.97


def test_the_procedure_before_tells_equal_methods_apart_where_there_are_many_subjects():
    (_, now, old), *_ = rows([World(426, 4, 3, 0.4)], 2000)
    assert old.apart > 0.3 > 0.07 > now.apart


def test_noise_that_all_trainings_share_cannot_be_held():
    (_, now, _), *_ = rows([UNKNOWABLE], 2000)
    assert now.apart > 0.2


def test_power_grows_with_the_effect():
    found = [now.apart for _, now, _ in rows(POWER, 2000)]
    assert found == pytest.approx([0.23, 0.72, 0.97], abs=0.05)


def print_trainings(results: Path, run: str, comparisons: int = 200) -> None:
    """How often two disjoint triples of the seeds of one method, the same in all folds, are told apart."""
    operand = parse_operand(run, results)
    reader = ScoreReader(discover(), STRICT)
    noise = derive_noise("triples", run)
    for method in operand.runs(operand.datasets[0]):
        seeds = sorted(set.intersection(*(_seeds(method, fold) for fold in method.folds)))
        print(f"\n{method.method} on {method.dataset}: {len(seeds)} seeds in each of {len(method.folds)} folds")
        for name, folds in reader.scores(method).folds.items():
            (tables,) = aligned([folds], reader.load(name), STRICT)
            apart = 0
            for _ in range(comparisons):
                drawn = noise.permutation(len(seeds))[:6]
                a, b = ({f: [own[n] for n in part] for f, own in tables.items()} for part in (drawn[:3], drawn[3:]))
                apart += (nested_difference(a, b).p or 1.0) < 0.05
            pairs = list(combinations(range(len(seeds)), 2))
            ones = [{f: own[n] for f, own in tables.items()} for n in range(len(seeds))]
            old = sum(exchanged(ones[a], ones[b], noise) < 0.05 for a, b in pairs)
            print(
                f"{name:24}{100 * apart / comparisons:8.1f} % of {comparisons} comparisons have p < .05; of the "
                f"{len(pairs)} pairs of single seeds, exchanges of subjects tell {100 * old / len(pairs):.0f} % apart",
                flush=True,
            )


def exchanged(a: Mapping[int, SubjectTable], b: Mapping[int, SubjectTable], noise: np.random.Generator) -> float:
    """p of one training each where whole subjects change places."""
    shares = np.concatenate([(pseudo_values(b[f]) - pseudo_values(a[f])) / len(b[f].subjects) for f in a]) / len(a)
    drawn = (2 * noise.integers(0, 2, (DRAWS, len(shares))) - 1) @ shares
    return float((1 + (np.abs(drawn) >= abs(shares.sum())).sum()) / (DRAWS + 1))


def _seeds(method: MethodRun, fold: int) -> set[int]:
    return {result.spec.seed for result in method.done if result.spec.fold == fold}


def print_table(title: str, worlds: Sequence[World], sets: int) -> None:
    print(f"\n{title}; {sets:,} data sets a row\n{'':64}{'told apart':>24}{'interval holds':>24}")
    print(f"{'':64}{'now':>12}{'before':>12}{'now':>12}{'before':>12}")
    for world, now, old in rows(worlds, sets):
        shown = (now.apart, old.apart, now.holds, old.holds)
        print(f"{world!s:64}" + "".join(f"{100 * rate:10.1f} %" for rate in shown), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=4000, help="data sets a row")
    parser.add_argument("--grid", action="store_true", help="every row of the grid")
    parser.add_argument("--trainings", nargs=2, metavar=("RESULTS", "RUN"), help="compare trained seeds instead")
    asked = parser.parse_args()
    if asked.trainings:
        print_trainings(Path(asked.trainings[0]), asked.trainings[1])
        sys.exit()
    started = perf_counter()
    print_table("the methods are equal", GRID if asked.grid else MAIN, asked.sets)
    print_table("the methods are equal, what no such design can hold", [UNKNOWABLE, *LOPSIDED], asked.sets)
    print_table("power: B is better by a share of a subject's spread", POWER, asked.sets)
    print_table(
        "effects of other shapes", [replace(POWER[1], shape=shape) for shape in ("skewed", "failing")], asked.sets
    )
    print(f"\n{perf_counter() - started:.0f} s")
