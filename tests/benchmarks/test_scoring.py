"""Scoring: integer tables against what the published evaluations and loops over pairs do; growth, memory, re-scoring.

Run: make bench ARGS="-k test_scoring"; the ratios against their targets: python tests/benchmarks/ratios.py
"""

import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from mrbench.engine.predict import Predicted
from mrbench.engine.predictions import PredictionWriter, read_tables
from mrbench.engine.score import applicable_metrics, score_cell
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.interfaces.metric import Metric
from mrbench.metrics import PUBLISHED, STRICT, CaseTables, TableBuilder, ged, pack, score_case, unpack
from mrbench.metrics.matching import matched_of
from mrbench.metrics.plugin import mrbench_metrics
from mrbench.registry import discover

SIDE = 128
VOLUME = (22, 128, 128)
STORED_CASES = 10_000

RATERS = 4
COMPARED = ("ged", "dice_soft", "dice_max", "dice_match")
"""What the published evaluations compute."""

METRICS: dict[str, Metric] = {card.name: card.load() for card in mrbench_metrics()}


@dataclass(frozen=True, eq=False)
class Scene:
    """Balls of jittered place and size.

    Attributes:
        raters: ``(R, *spatial)`` bool.
        probabilities: ``(S, *spatial)`` float32 of the samples.
    """

    raters: np.ndarray
    probabilities: np.ndarray

    @property
    def samples(self) -> np.ndarray:
        """``(S, *spatial)`` bool."""
        return self.probabilities > 0.5

    def draws(self) -> list[Draw]:
        """The samples as a method gives them, ``(2, *spatial)`` each."""
        return [Draw(DrawKind.SAMPLE, binary_probability(probability)) for probability in self.probabilities]


def scene(samples: int, *shape: int, seed: int = 0) -> Scene:
    """A case of that size."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij"))
    raters, balls = (np.stack([_ball(rng, grid) for _ in range(n)]) for n in (RATERS, samples))
    return Scene(raters, np.where(balls, np.float32(0.9), np.float32(0.05)))


def _ball(rng: np.random.Generator, grid: np.ndarray) -> np.ndarray:
    centre = rng.normal(0, 1 / 16, (len(grid), *[1] * len(grid)))
    return ((grid - centre) ** 2).sum(axis=0) < rng.uniform(1 / 8, 5 / 16) ** 2


def build(raters: np.ndarray, draws: Iterable[Draw]) -> TableBuilder:
    """A case whose draws come one at a time."""
    builder = TableBuilder(raters.astype(np.uint8), np.ones(len(raters), bool), 2)
    for draw in draws:
        builder.add(draw)
    return builder


def tabulate(raters: np.ndarray, draws: Iterable[Draw]) -> CaseTables:
    """The tables of a case whose draws come one at a time."""
    return build(raters, draws).finish()


def score_stored(arrays: dict[str, np.ndarray], names: tuple[str, ...] = COMPARED) -> None:
    """Metrics of samples, from packed tables."""
    score_case(unpack(arrays), {name: METRICS[name] for name in names}, PUBLISHED)


def score_by_tables(raters: np.ndarray, draws: Iterable[Draw], names: tuple[str, ...] = COMPARED) -> dict[str, float]:
    """Metrics of samples, as the harness computes them."""
    scores = score_case([tabulate(raters, draws)], {name: METRICS[name] for name in names}, PUBLISHED)
    return {name: METRICS[name].finalise(value) for (name, _), value in scores.items()}


def score_by_pixels(raters: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """As the evaluations released with D-Persona and ProSeg: every pair of masks by its pixels, all pairs at once."""
    samples = probabilities > 0.5
    dice = _dice_pairs(samples, raters)
    distances = _mean_distance(samples, raters), _mean_distance(samples, samples), _mean_distance(raters, raters)
    return {
        "ged": 2 * distances[0] - distances[1] - distances[2],
        "dice_soft": _soft_dice(raters, probabilities),
        "dice_max": float(dice.max(axis=0).mean()),
        "dice_match": float(matched_of(dice).mean()),
    }


def _dice_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``(A, B)`` Dice by broadcasting every pair to its pixels."""
    flat = [masks.reshape(len(masks), -1) for masks in (first, second)]
    shared = (flat[0][:, None] & flat[1][None]).sum(axis=2)
    total = flat[0].sum(axis=1)[:, None] + flat[1].sum(axis=1)[None]
    return (2 * shared + 1e-8) / (total + 1e-8)


def _mean_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Mean distance with two boolean arrays of A x B x pixels x 2 classes."""
    one_hot = [np.stack([~masks, masks], axis=-1).reshape(len(masks), -1, 2) for masks in (first, second)]
    shared = (one_hot[0][:, None] & one_hot[1][None]).sum(axis=-2)
    union = (one_hot[0][:, None] | one_hot[1][None]).sum(axis=-2)
    return float((1 - shared / (union + 1e-8))[..., 1].mean())


def _soft_dice(raters: np.ndarray, probabilities: np.ndarray) -> float:
    shares = probabilities.mean(axis=0, dtype=np.float64), raters.mean(axis=0)
    values = [_dice_pairs(*((share > t)[None] for share in shares)).item() for t in (0.1, 0.3, 0.5, 0.7, 0.9)]
    return float(np.mean(values))


def ged_by_loops(case: Scene) -> float:
    """As a loop over the pairs of masks with MedPy's ``jc``."""
    pairs = (case.samples, case.raters), (case.samples, case.samples), (case.raters, case.raters)
    pa, pp, aa = (np.mean([[1 - _loop_iou(a, b) for b in second] for a in first]) for first, second in pairs)
    return float(2 * pa - pp - aa)


def _loop_iou(result: np.ndarray, reference: np.ndarray) -> float:
    result, reference = np.atleast_1d(result.astype(bool)), np.atleast_1d(reference.astype(bool))
    return np.count_nonzero(result & reference) / np.count_nonzero(result | reference)


def with_raters(case: Scene) -> Iterator[Draw]:
    """The samples, and the first of them once more as each rater's prediction."""
    draws = case.draws()
    yield from draws
    for rater, draw in enumerate(draws[: len(case.raters)]):
        yield Draw(DrawKind.RATER, draw.probability, rater)


def peak_bytes(case: Scene) -> tuple[int, int]:
    """Bytes taken at most while a case is counted, whose draws come one at a time, and bytes of its masks."""

    def draws() -> Iterator[Draw]:
        for probability in case.probabilities:
            yield Draw(DrawKind.SAMPLE, probability_of(probability))

    # What a method hands over is its own: one buffer for all draws.
    buffer = np.empty((2, *case.raters.shape[1:]), np.float32)

    def probability_of(foreground: np.ndarray) -> np.ndarray:
        np.subtract(1, foreground, out=buffer[0])
        buffer[1] = foreground
        return buffer

    tracemalloc.start()
    try:
        tabulate(case.raters, draws())
        return tracemalloc.get_traced_memory()[1], case.samples.size + case.raters.size
    finally:
        tracemalloc.stop()


def write_run(path: Path, cases: int, side: int = 64, distinct: int = 32) -> Path:
    """A stored cell of that many cases with 50 samples and 4 rater predictions, ``distinct`` of them different."""
    some = []
    for number in range(distinct):
        found = scene(50, side, side, seed=number)
        builder = build(found.raters, with_raters(found))
        some.append(Predicted(builder.finish(), builder.packed()))
    with PredictionWriter(path) as writer:
        for case in range(cases):
            writer.add(f"case-{case}", f"subject-{case // 3}", [some[case % distinct]])
    return path


@pytest.fixture(scope="module")
def case() -> Scene:
    return scene(50, SIDE, SIDE)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("stored") / "predictions.h5", 500)


def test_all_ways_agree(case):
    expected = score_by_pixels(case.raters, case.probabilities)
    assert score_by_tables(case.raters, case.draws()) == pytest.approx(expected, abs=1e-12)
    assert ged(case.raters, case.samples) == pytest.approx(ged_by_loops(case), abs=1e-12)


def test_memory_beside_the_masks_is_bounded(case):
    for found in (case, scene(50, *VOLUME)):
        peak, masks = peak_bytes(found)
        assert peak <= 1.5 * masks


def test_score_by_pixels(benchmark, case):
    benchmark.pedantic(score_by_pixels, (case.raters, case.probabilities), rounds=2)


def test_ged_by_loops(benchmark, case):
    benchmark.pedantic(ged_by_loops, (case,), rounds=3)


def test_ged(benchmark, case):
    benchmark.pedantic(ged, (case.samples, case.raters), rounds=20, warmup_rounds=3)


@pytest.mark.parametrize("side", [128, 256])
@pytest.mark.parametrize("samples", [10, 50, 100])
def test_score_by_tables(benchmark, samples, side):
    found = scene(samples, side, side)
    benchmark.pedantic(score_by_tables, (found.raters, found.draws()), rounds=50, warmup_rounds=3)


def test_score_every_metric(benchmark, case):
    benchmark.pedantic(score_by_tables, (case.raters, list(with_raters(case)), tuple(METRICS)), rounds=20)


def test_score_a_volume(benchmark):
    found = scene(50, *VOLUME)
    benchmark.pedantic(score_by_tables, (found.raters, found.draws()), rounds=5, warmup_rounds=1)


def test_score_again_from_stored_tables(benchmark, case):
    benchmark.pedantic(score_stored, (pack([tabulate(case.raters, case.draws())]),), rounds=50, warmup_rounds=3)


def test_read_the_tables_of_a_stored_run(benchmark, stored):
    benchmark.pedantic(lambda: sum(1 for _ in read_tables(stored)), rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("shown", [True, False], ids=["table metrics", "every metric"])
def test_score_a_stored_run_again(benchmark, stored, shown):
    chosen = applicable_metrics(discover(), "identified")
    metrics = {name: plugin for name, plugin in chosen.items() if plugin.card.table or not shown}
    benchmark.pedantic(score_cell, (stored, metrics, STRICT), rounds=2)


@pytest.mark.parametrize("name", METRICS)
def test_metric(benchmark, case, name):
    benchmark.group = "one metric of one case, from its tables"
    tables = tabulate(case.raters, with_raters(case))
    benchmark.pedantic(METRICS[name], setup=lambda: ((replace(tables), STRICT), {}), rounds=30, warmup_rounds=2)
