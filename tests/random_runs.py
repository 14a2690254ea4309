"""Runs of random scores or draws, with what makes tables disagree: ties, sums in another order, gaps and failures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from stored_runs import StoredCell, registry, store_run

from mrbench.cards import Capability
from mrbench.engine.cell import Status

LEARNED = ("prob-unet", "proseg-prior", "pionono", "unet-majority", "unet-rater")
PEOPLE = ("staple", "majority-vote")
ALWAYS = "proseg"
"""It has every metric, so that some pair of a run has one in common."""

SAMPLED = (("dice_max", None), ("ged", None), ("dice_match", None))
PERSONAL = (("dice_rater", 0), ("dice_rater", 1), ("ged@raters", None))
DIGESTS = {"data_digest": "d" * 64, "split_digest": "5" * 64, "dataset_options": {"subjects": 9, "size": 32}}

Random = np.random.Generator
Place = tuple[str, int | None]
"""A metric and, where it tells raters apart, a rater."""

Gaps = Mapping[tuple[int, int], tuple[str, Sequence[tuple[int, int]]]]
"""By fold and seed: a metric with the cases (subject, number) where it has no value."""

Arrays = list[np.ndarray]
"""By fold: anything of each training and subject, ``(seeds, subjects, ...)``."""


@dataclass(frozen=True)
class Shape:
    """What all methods of a run are tested on: by fold, its subjects and the cases of each."""

    seeds: int
    subjects: tuple[int, ...]
    cases: tuple[int, ...]

    @classmethod
    def of(cls, random: Random) -> "Shape":
        """Any; folds of one size in half of the runs, so that they can change places."""
        folds, alike = int(random.integers(1, 4)), random.random() < 0.5
        subjects, cases = random.integers(3, 9, folds), random.integers(1, 4, folds)
        if alike:
            subjects[:], cases[:] = subjects[0], cases[0]
        return cls(int(random.integers(1, 3)), tuple(subjects.tolist()), tuple(cases.tolist()))

    @property
    def places(self) -> list[tuple[int, int]]:
        """Fold and seed of every training."""
        return [(fold, seed) for fold in range(len(self.subjects)) for seed in range(self.seeds)]

    def arrays(self, make: Callable[[tuple[int, ...]], np.ndarray]) -> Arrays:
        """What ``make`` gives for ``(seeds, subjects, cases)`` of each fold."""
        return [make((self.seeds, s, c)) for s, c in zip(self.subjects, self.cases, strict=True)]

    def names(self, fold: int) -> dict[tuple[int, int], str]:
        """Cases by subject and number; stored in an order that is not that of their names."""
        subjects = sorted(range(self.subjects[fold]), key=lambda s: (s * 5 + 2) % 7)
        return {(s, c): f"fold {fold} subject {s}, case {c}" for s in subjects for c in range(self.cases[fold])}


def store_scores(results: Path, number: int) -> list[StoredCell]:
    """Writes a run with scores and no predictions; its cells."""
    random = np.random.default_rng([0, number])
    shape, methods = Shape.of(random), _methods(random, LEARNED)
    base = {place: shape.arrays(lambda size: random.integers(3, 8, size) / 10) for place in SAMPLED + PERSONAL}
    cells = []
    for method in methods:
        own = {at: SCORES_LIKE[int(random.integers(len(SCORES_LIKE)))](random, base[at]) for at in _places(method)}
        gaps, spec = _gaps(random, shape, list(own)), DIGESTS | _samples(random, 50)
        cells += [
            StoredCell(method, _values(own, gaps, shape, fold, seed), fold=fold, seed=seed, spec=spec)
            for fold, seed in shape.places
        ]
    cells = _with_failure(random, cells)
    store_run(results, "run", *cells)
    return cells


def store_predictions(results: Path, number: int) -> list[StoredCell]:
    """Writes a run with predictions, which any protocol can score again; its cells."""
    random = np.random.default_rng([1, number])
    shape, methods = Shape.of(random), _methods(random, [name for name in LEARNED if name != "unet-rater"])
    masks = random.random((2, 6, 6)) < 0.5
    base = shape.arrays(lambda size: _marks(random, masks, size))
    cells = []
    for method in methods:
        like = DRAWS_LIKE[int(random.integers(len(DRAWS_LIKE)))]
        draws, spec = like(random, base), DIGESTS | _samples(random, 3)
        gap = _gaps(random, shape, [("", None), ("raters", None)])
        cells += [
            StoredCell(method, {}, _drawn(method, masks, draws, gap, spec["samples"], shape, f, s), f, s, spec)
            for f, s in shape.places
        ]
    cells = _with_failure(random, cells)
    store_run(results, "run", *cells)
    return cells


def _methods(random: Random, others: Sequence[str]) -> list[str]:
    """Two to five; in half of the runs the last is made of the raters' masks."""
    people = random.choice(PEOPLE, random.integers(2)).tolist()
    chosen = random.choice(others, random.integers(1, 5 - len(people)), replace=False).tolist()
    return [*random.permutation([ALWAYS, *chosen]).tolist(), *people]


def _places(method: str) -> list[Place]:
    can = registry().get("method", method).card.capabilities
    sampled = SAMPLED if can & {Capability.DIVERSE, Capability.CONSENSUS} else ()
    return [*sampled, *(PERSONAL if can & {Capability.PERSONAL, Capability.CONSENSUS} else ())]


def _samples(random: Random, most: int) -> dict[str, Any]:
    return {"samples": most if random.random() < 0.7 else most - 1}


def _same(random: Random, base: Arrays) -> Arrays:
    return base


def _in_another_order(random: Random, base: Arrays) -> Arrays:
    """A tie, but for the order of the sums over subjects and folds."""
    mixed = [random.permutation(values, axis=1) for values in base]
    alike = len({values.shape for values in base}) == 1
    return [mixed[fold] for fold in random.permutation(len(mixed))] if alike else mixed


def _hardly_apart(random: Random, base: Arrays) -> Arrays:
    return [values + 1e-9 for values in base]


def _well_apart(random: Random, base: Arrays) -> Arrays:
    return [values + 0.2 + random.normal(0, 0.01, values.shape) for values in base]


def _unlike(random: Random, base: Arrays) -> Arrays:
    return [random.permuted(values, axis=1) for values in base]


Like = Callable[[Random, Arrays], Arrays]
DRAWS_LIKE: Sequence[Like] = (_same, _in_another_order, _in_another_order, _unlike)
SCORES_LIKE: Sequence[Like] = (*DRAWS_LIKE, _hardly_apart, _well_apart, _well_apart)


def _gaps(random: Random, shape: Shape, places: Sequence[Place]) -> Gaps:
    """In two of three methods none, else in one fold, in all its trainings or in one; never of the first metric."""
    metrics = [name for name in dict.fromkeys(name for name, _ in places) if name != places[0][0]]
    if random.random() < 2 / 3:
        return {}
    fold = int(random.integers(len(shape.subjects)))
    every = [(s, c) for s in range(shape.subjects[fold]) for c in range(shape.cases[fold])]
    few = [every[at] for at in random.choice(len(every), random.integers(1, len(every)), replace=False)]
    gap = (str(random.choice(metrics)), every if random.random() < 0.2 else few)
    seeds = range(shape.seeds) if random.random() < 0.7 else [int(random.integers(shape.seeds))]
    return {(fold, seed): gap for seed in seeds}


def _values(
    own: Mapping[Place, Arrays], gaps: Gaps, shape: Shape, fold: int, seed: int
) -> dict[str, dict[str, dict[int | None, float]]]:
    absent, where = gaps.get((fold, seed), ("", ()))
    found: dict[str, dict[str, dict[int | None, float]]] = {}
    for place, case in shape.names(fold).items():
        found[case] = {}
        for (metric, rater), values in own.items():
            if metric != absent or place not in where:
                found[case].setdefault(metric, {})[rater] = float(values[fold][(seed, *place)])
    return found


def _marks(random: Random, masks: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """``(*size, 5, H, W)`` probabilities: three samples and each rater's own; masks with some pixels wrong."""
    shown = masks[[0, 1, 0, 0, 1]]
    wrong = random.random((*size, *shown.shape)) < random.uniform(0.05, 0.3, (*size, 1, 1, 1))
    return np.where(shown ^ wrong, np.float32(0.9), np.float32(0.1))


def _drawn(
    method: str, masks: np.ndarray, draws: Arrays, gaps: Gaps, samples: int, shape: Shape, fold: int, seed: int
) -> dict[str, Any]:
    can = registry().get("method", method).card.capabilities
    count = samples if Capability.DIVERSE in can else 1
    _, where = gaps.get((fold, seed), ("", ()))
    found = {}
    for place, case in shape.names(fold).items():
        own = draws[fold][(seed, *place)]
        personal = Capability.PERSONAL in can and place not in where
        found[case] = masks, list(own[:count]), {0: own[3], 1: own[4]} if personal else {}
    return found


def _with_failure(random: Random, cells: list[StoredCell]) -> list[StoredCell]:
    """One cell failed, in a quarter of the runs, where its method has others."""
    at = int(random.integers(len(cells)))
    cell = cells[at]
    if random.random() > 1 / 4 or sum(other.method == cell.method for other in cells) == 1:
        return cells
    failed = StoredCell(cell.method, fold=cell.fold, seed=cell.seed, spec=cell.spec, status=Status.FAILED)
    return [*cells[:at], failed, *cells[at + 1 :]]


def counted(cells: Iterable[StoredCell]) -> dict[tuple[str, str], dict[str, int]]:
    """Folds, cases with a value and cases that should have one, by method and metric, summed over the folds.

    Methods that miss a cell, and metrics that the trainings of one fold have in different cases, are left out.
    """
    found = {}
    for method, own in _by_method(cells).items():
        finished = all(cell.status is Status.OK for cell in own)
        for metric in _metrics(own) if finished else ():
            by_fold = {fold: {(_having(cell, metric), _tested(cell)) for cell in own if cell.fold == fold}
                       for fold in dict.fromkeys(cell.fold for cell in own)}  # fmt: skip
            if all(len(counts) == 1 for counts in by_fold.values()):
                counts = [count for (count,) in by_fold.values()]
                having, tested = zip(*counts, strict=True)
                folds = sum(count > 0 for count in having)
                found[method, metric] = {"folds": folds, "cases": sum(having), "of": sum(tested)}
    return found


def never_ranked(cells: Iterable[StoredCell]) -> set[tuple[str, str]]:
    """Method and metric where a cell failed, some case has no value, or the method sees the test masks."""
    return {
        (method, metric)
        for method, own in _by_method(cells).items()
        for metric in _metrics(own)
        if any(cell.status is not Status.OK or _having(cell, metric) < _tested(cell) for cell in own)
        or registry().get("method", method).card.kind == "fusion"
    }


def _by_method(cells: Iterable[StoredCell]) -> dict[str, list[StoredCell]]:
    found: dict[str, list[StoredCell]] = {}
    for cell in cells:
        found.setdefault(cell.method, []).append(cell)
    return found


def _metrics(cells: Iterable[StoredCell]) -> set[str]:
    return {metric for cell in cells for own in _by_case(cell) for metric in own}


def _having(cell: StoredCell, metric: str) -> int:
    return sum(metric in own for own in _by_case(cell))


def _tested(cell: StoredCell) -> int:
    return len(_by_case(cell))


def _by_case(cell: StoredCell) -> list[set[str]]:
    """The metrics that each case has, as they follow from its scores or from its draws."""
    scored = [set(own) for own in cell.values.values()]
    return scored or [_metrics_of_draws(*own) for own in cell.drawn.values()]


def _metrics_of_draws(masks: np.ndarray, samples: Sequence[Any], personal: Mapping[int, Any]) -> set[str]:
    found = {"ged", "dice_soft", "dice_max"}
    found |= {"dice_match"} if len(samples) >= len(masks) else set()
    return found | ({"ged@raters", "dice_rater", "rater_identification"} if personal else set())
