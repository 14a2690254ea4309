"""Scoring one case of 50 samples and 4 raters: two integer tables against plain boolean loops.

Run: pytest tests/benchmarks/test_scoring.py --benchmark-enable
"""

import numpy as np
import pytest

from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.metrics import PUBLISHED, TableBuilder, pack, score_case, unpack
from mrbench.metrics.matching import matched_of
from mrbench.metrics.plugin import mrbench_metrics

SAMPLES, RATERS, SIDE = 50, 4, 128
COMPARED = ("ged", "dice_soft", "dice_max", "dice_match")


@pytest.fixture(scope="module")
def case():
    """Discs of jittered place and size: raters ``(R, H, W)`` bool, probabilities of the samples ``(S, H, W)``."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    centre, radius = rng.normal(SIDE / 2, 4, (2, SAMPLES + RATERS, 1, 1)), rng.uniform(8, 20, (SAMPLES + RATERS, 1, 1))
    masks = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
    return masks[SAMPLES:], np.where(masks[:SAMPLES], np.float32(0.9), np.float32(0.05))


@pytest.fixture(scope="module")
def metrics():
    return {record.name: record.load()() for record in mrbench_metrics()}


@pytest.fixture(scope="module")
def draws(case):
    """The same samples as a method gives them, ``(2, H, W)`` each."""
    return [Draw(DrawKind.SAMPLE, binary_probability(probability)) for probability in case[1]]


def tabulate(raters, draws):
    builder = TableBuilder(raters.astype(np.uint8), np.ones(len(raters), bool), 2)
    for draw in draws:
        builder.add(draw)
    return builder.finish()


def score_by_tables(raters, draws, metrics):
    scores = score_case([tabulate(raters, draws)], metrics, PUBLISHED)
    return {name: value.item() for (name, _), value in scores.items() if name in COMPARED}


def dice_pairs(first, second):
    """``(A, B)`` Dice by broadcasting every pair to its pixels."""
    shared = (first[:, None] & second[None]).sum(axis=(2, 3))
    total = first.sum(axis=(1, 2))[:, None] + second.sum(axis=(1, 2))[None]
    return (2 * shared + 1e-8) / (total + 1e-8)


def mean_distance(first, second):
    """Mean distance with two boolean arrays of A x B x pixels x 2 classes, as the released evaluations compute it."""
    one_hot = [np.stack([~masks, masks], axis=-1).reshape(len(masks), -1, 2) for masks in (first, second)]
    shared = (one_hot[0][:, None] & one_hot[1][None]).sum(axis=-2)
    union = (one_hot[0][:, None] | one_hot[1][None]).sum(axis=-2)
    return float((1 - shared / (union + 1e-8))[..., 1].mean())


def score_by_loops(raters, probabilities):
    samples = probabilities > 0.5
    dice = dice_pairs(samples, raters)
    shares = probabilities.mean(axis=0, dtype=np.float64), raters.mean(axis=0)
    soft = [dice_pairs(*((share > t)[None] for share in shares)).item() for t in (0.1, 0.3, 0.5, 0.7, 0.9)]
    distances = mean_distance(samples, raters), mean_distance(samples, samples), mean_distance(raters, raters)
    return {
        "ged": 2 * distances[0] - distances[1] - distances[2],
        "dice_soft": float(np.mean(soft)),
        "dice_max": float(dice.max(axis=0).mean()),
        "dice_match": float(matched_of(dice).mean()),
    }


def test_both_ways_agree(case, draws, metrics):
    assert score_by_tables(case[0], draws, metrics) == pytest.approx(score_by_loops(*case), abs=1e-12)


def test_score_by_plain_loops(benchmark, case):
    benchmark.pedantic(score_by_loops, case, rounds=2)


def test_score_by_tables(benchmark, case, draws, metrics):
    benchmark.pedantic(score_by_tables, (case[0], draws, metrics), rounds=50, warmup_rounds=3)


def test_score_again_from_stored_tables(benchmark, case, draws, metrics):
    packed = pack([tabulate(case[0], draws)])
    benchmark.pedantic(lambda: score_case(unpack(packed), metrics, PUBLISHED), rounds=50, warmup_rounds=3)
