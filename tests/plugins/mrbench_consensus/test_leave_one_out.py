import numpy as np
import pytest

from mrbench import DrawKind
from mrbench_consensus.config import NoOptions
from mrbench_consensus.leave_one_out import LeaveOneOut

NOISE = np.random.default_rng(0)


def test_each_rater_present_stands_once_for_the_others(describe):
    masks = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), np.uint8)
    present = np.array([True, False, True, True])
    trials = list(LeaveOneOut(NoOptions(), describe(classes=4)).fuse(masks, present, 1, NOISE))
    truths = [[False, False, True, True], [True, False, False, True], [True, False, True, False]]
    np.testing.assert_array_equal([trial.truth for trial in trials], truths)
    for rater, trial in zip((0, 2, 3), trials, strict=True):
        (draw,) = trial.draws
        assert draw.kind is DrawKind.CONSENSUS
        np.testing.assert_array_equal(draw.probability.argmax(axis=0), masks[rater])


def test_a_rater_who_marked_nothing_stands_for_the_others_too(describe):
    masks = np.zeros((2, 3, 3), np.uint8)
    masks[1, 1] = 1
    first, _ = LeaveOneOut(NoOptions(), describe(2)).fuse(masks, np.ones(2, bool), 1, NOISE)
    np.testing.assert_array_equal(first.draws[0].probability[0], 1)
    assert first.truth.tolist() == [False, True]


@pytest.mark.parametrize("present", [[False, False, False], [False, True, False]])
def test_fewer_than_two_raters_give_no_trial(describe, present: list[bool]):
    fusion = LeaveOneOut(NoOptions(), describe(3))
    assert list(fusion.fuse(np.zeros((3, 2, 2), np.uint8), np.array(present), 1, NOISE)) == []
