import numpy as np
import pytest

from mrbench import DrawKind, Trial
from mrbench.seeds import derive_noise
from mrbench_consensus.config import NoOptions
from mrbench_consensus.random_rater import RandomRater

# One pixel per rater: the mask of rater r is the label r, so that a draw tells whom it was taken from.
NAMED = np.arange(5, dtype=np.uint8)[:, None, None]


@pytest.fixture
def fuse(describe):
    def _fuse(present: list[int], n: int, seed: int = 0) -> list[Trial]:
        here = np.isin(np.arange(5), present)
        return list(RandomRater(NoOptions(), describe(5, classes=5)).fuse(NAMED, here, n, derive_noise(seed, "case")))

    return _fuse


def taken(trial: Trial, kind: DrawKind) -> list[int]:
    return [int(draw.probability.argmax()) for draw in trial.draws if draw.kind is kind]


def test_each_rater_present_is_the_only_truth_of_one_trial(fuse):
    assert [np.flatnonzero(trial.truth).tolist() for trial in fuse([0, 2, 3], 1)] == [[0], [2], [3]]


def test_the_draws_are_as_many_as_asked_and_one_prediction_of_the_rater(fuse):
    for rater, trial in zip((0, 2, 3), fuse([0, 2, 3], 7), strict=True):
        assert len(taken(trial, DrawKind.SAMPLE)) == 7
        assert [draw.rater for draw in trial.draws if draw.kind is DrawKind.RATER] == [rater]


def test_nobody_is_drawn_for_themselves_and_nobody_who_is_absent(fuse):
    for rater, trial in zip((0, 2, 3), fuse([0, 2, 3], 100), strict=True):
        assert set(taken(trial, DrawKind.SAMPLE)) == {0, 2, 3} - {rater}


def test_the_others_are_drawn_equally_often(fuse):
    counts = np.bincount(taken(fuse([0, 1, 2, 3], 6000)[1], DrawKind.SAMPLE))
    assert np.abs(counts[[0, 2, 3]] - 2000).max() < 5 * np.sqrt(6000 * 2 / 9)


def test_the_prediction_is_any_of_the_others(fuse):
    drawn = [taken(fuse([0, 1, 2], 1, seed)[1], DrawKind.RATER)[0] for seed in range(40)]
    assert set(drawn) == {0, 2}


def test_more_samples_change_neither_the_first_ones_nor_the_prediction(fuse):
    for few, many in zip(fuse([0, 1, 2, 3, 4], 4), fuse([0, 1, 2, 3, 4], 51), strict=True):
        assert taken(few, DrawKind.SAMPLE) == taken(many, DrawKind.SAMPLE)[:4]
        assert taken(few, DrawKind.RATER) == taken(many, DrawKind.RATER)


def test_another_seed_draws_others(fuse):
    assert taken(fuse([0, 1, 2, 3], 50)[0], DrawKind.SAMPLE) != taken(fuse([0, 1, 2, 3], 50, 1)[0], DrawKind.SAMPLE)
    assert taken(fuse([0, 1, 2, 3], 50)[0], DrawKind.SAMPLE) == taken(fuse([0, 1, 2, 3], 50)[0], DrawKind.SAMPLE)


def test_trials_of_one_case_draw_apart(fuse):
    of_first, of_second, *_ = (taken(trial, DrawKind.SAMPLE) for trial in fuse([0, 1, 2, 3, 4], 50))
    assert [r > 0 for r in of_first] != [r > 0 for r in of_second]
    assert [r == 4 for r in of_first] != [r == 4 for r in of_second]


@pytest.mark.parametrize("present", [[], [3]])
def test_fewer_than_two_raters_give_no_trial(fuse, present: list[int]):
    assert fuse(present, 3) == []
