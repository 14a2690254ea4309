import numpy as np
import pytest

from mrbench import Trial
from mrbench.seeds import derive_noise
from mrbench_consensus import random_rater

# One pixel per rater: the mask of rater r is the label r, so that a draw tells whom it was taken from.
NAMED = np.arange(5, dtype=np.uint8)[:, None, None]


def fuse(present: list[int], n: int, seed: int = 0) -> list[Trial]:
    here = np.isin(np.arange(5), present)
    return list(random_rater.fuse(NAMED, here, n, derive_noise(seed, "case")))


def sampled(trial: Trial) -> list[int]:
    return [int(label) for label in np.ravel(trial.samples)]


def predicted(trial: Trial) -> list[int]:
    return [int(mask.item()) for mask in trial.raters.values()]


def test_each_rater_present_is_the_only_truth_of_one_trial():
    assert [np.flatnonzero(trial.truth).tolist() for trial in fuse([0, 2, 3], 1)] == [[0], [2], [3]]


def test_the_draws_are_as_many_as_asked_and_one_prediction_of_the_rater():
    for rater, trial in zip((0, 2, 3), fuse([0, 2, 3], 7), strict=True):
        assert len(sampled(trial)) == 7
        assert list(trial.raters) == [rater]


def test_nobody_is_drawn_for_themselves_and_nobody_who_is_absent():
    for rater, trial in zip((0, 2, 3), fuse([0, 2, 3], 100), strict=True):
        assert set(sampled(trial)) == {0, 2, 3} - {rater}


def test_the_others_are_drawn_equally_often():
    counts = np.bincount(sampled(fuse([0, 1, 2, 3], 6000)[1]))
    assert np.abs(counts[[0, 2, 3]] - 2000).max() < 5 * np.sqrt(6000 * 2 / 9)


def test_the_prediction_is_any_of_the_others():
    drawn = [predicted(fuse([0, 1, 2], 1, seed)[1])[0] for seed in range(40)]
    assert set(drawn) == {0, 2}


def test_more_samples_change_neither_the_first_ones_nor_the_prediction():
    for few, many in zip(fuse([0, 1, 2, 3, 4], 4), fuse([0, 1, 2, 3, 4], 51), strict=True):
        assert sampled(few) == sampled(many)[:4]
        assert predicted(few) == predicted(many)


def test_another_seed_draws_others():
    assert sampled(fuse([0, 1, 2, 3], 50)[0]) != sampled(fuse([0, 1, 2, 3], 50, 1)[0])
    assert sampled(fuse([0, 1, 2, 3], 50)[0]) == sampled(fuse([0, 1, 2, 3], 50)[0])


def test_trials_of_one_case_draw_apart():
    of_first, of_second, *_ = (sampled(trial) for trial in fuse([0, 1, 2, 3, 4], 50))
    assert [r > 0 for r in of_first] != [r > 0 for r in of_second]
    assert [r == 4 for r in of_first] != [r == 4 for r in of_second]


@pytest.mark.parametrize("present", [[], [3]])
def test_fewer_than_two_raters_give_no_trial(present: list[int]):
    assert fuse(present, 3) == []
