"""The raters asked again: whom is asked which redraw, and what it scores where the answer is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrbench import Config, Trial
from mrbench.engine.predict import Predictor
from mrbench.interfaces.fusion import bound
from mrbench.metrics.overlap import dice_of
from mrbench.seeds import derive_noise
from mrbench_consensus import ORACLE_RATERS, oracle_raters
from mrbench_phantom.config import PhantomConfig
from mrbench_phantom.dataset import load

HERE = np.array([True, False, True, True])


def named(rater: int, draw: int) -> np.ndarray:
    """A pixel that tells whom was asked, and which redraw it is."""
    return np.array([[100 * rater + draw]])


def fuse(n: int, seed: int = 0, redraw: Callable[[int, int], np.ndarray] = named) -> Trial:
    found = oracle_raters.fuse(np.zeros((4, 1, 1), np.uint8), HERE, n, derive_noise(seed, "case"), redraw)
    assert isinstance(found, Trial)
    return found


def sampled(trial: Trial) -> list[tuple[int, int]]:
    return [divmod(int(mask.item()), 100) for mask in trial.samples or ()]


def test_each_rater_present_is_predicted_by_redraw_0_and_everybody_is_the_truth():
    trial = fuse(3)
    assert {rater: mask.item() for rater, mask in (trial.raters or {}).items()} == {0: 0, 2: 200, 3: 300}
    assert trial.truth is None
    assert trial.consensus is None


def test_every_sample_is_a_redraw_of_its_own_of_a_rater_present():
    raters, draws = zip(*sampled(fuse(50)), strict=True)
    assert draws == tuple(range(1, 51))
    assert set(raters) == {0, 2, 3}


def test_the_raters_are_drawn_equally_often():
    counts = np.bincount([rater for seed in range(60) for rater, _ in sampled(fuse(90, seed))])
    assert np.abs(counts[[0, 2, 3]] - 1800).max() < 5 * np.sqrt(5400 * 2 / 9)


def test_more_samples_do_not_change_the_first_ones():
    assert sampled(fuse(51))[:4] == sampled(fuse(4))


def test_no_stored_mask_is_read():
    trials = [
        oracle_raters.fuse(np.full((4, 1, 1), value, np.uint8), HERE, 5, derive_noise(0, "case"), named)
        for value in (0, 1)
    ]
    assert sampled(trials[0]) == sampled(trials[1])


def test_raters_without_noise_are_predicted_exactly():
    cases = load(PhantomConfig(subjects=3, size=32), Path("unused"))
    steady = replace(cases, redraw=lambda index, rater, noise: cases.pixels.masks(index)[rater])
    fuse = bound(oracle_raters.fuse, Config(), cases.description)
    predictor = Predictor.of_fusion(ORACLE_RATERS, cases.description, 4, fuse, 0)
    for index in range(len(steady)):
        (found,) = predictor.predict(steady[index])
        rows = [found.tables.rows_of(rater)[0] for rater in range(4)]
        assert dice_of(found.tables.overlaps(1, np.array(rows))).diagonal().tolist() == [1, 1, 1, 1]
