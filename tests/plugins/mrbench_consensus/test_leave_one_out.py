import numpy as np
import pytest

from mrbench_consensus.leave_one_out import fuse

NOISE = np.random.default_rng(0)


def test_each_rater_present_stands_once_for_the_others():
    masks = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), np.uint8)
    present = np.array([True, False, True, True])
    trials = list(fuse(masks, present, 1, NOISE))
    truths = [[False, False, True, True], [True, False, False, True], [True, False, True, False]]
    np.testing.assert_array_equal([trial.truth for trial in trials], truths)
    for rater, trial in zip((0, 2, 3), trials, strict=True):
        np.testing.assert_array_equal(trial.consensus, masks[rater])
        assert trial.samples is trial.raters is None


def test_a_rater_who_marked_nothing_stands_for_the_others_too():
    masks = np.zeros((2, 3, 3), np.uint8)
    masks[1, 1] = 1
    first, _ = fuse(masks, np.ones(2, bool), 1, NOISE)
    np.testing.assert_array_equal(first.consensus, 0)
    assert first.truth.tolist() == [False, True]


@pytest.mark.parametrize("present", [[False, False, False], [False, True, False]])
def test_fewer_than_two_raters_give_no_trial(present: list[bool]):
    assert list(fuse(np.zeros((3, 2, 2), np.uint8), np.array(present), 1, NOISE)) == []
