import numpy as np

from mrbench import DrawKind
from mrbench_consensus.config import NoOptions
from mrbench_consensus.majority_vote import MajorityVote

NOISE = np.random.default_rng(0)


def test_absent_raters_have_no_vote_and_are_no_truth(describe):
    masks = np.array([[[1, 0]], [[9, 9]], [[1, 0]], [[0, 1]]], np.uint8)
    present = np.array([True, False, True, True])
    (trial,) = MajorityVote(NoOptions(), describe()).fuse(masks, present, 1, NOISE)
    np.testing.assert_array_equal(trial.truth, present)
    (draw,) = trial.draws
    assert draw.kind is DrawKind.CONSENSUS
    assert draw.rater is None
    np.testing.assert_array_equal(draw.probability, [[[0, 1]], [[1, 0]]])


def test_probabilities_cover_all_classes_of_the_data_set(describe):
    masks = np.zeros((2, 3, 4, 5), np.uint8)
    (trial,) = MajorityVote(NoOptions(), describe(2, classes=3)).fuse(masks, np.ones(2, bool), 1, NOISE)
    assert trial.draws[0].probability.shape == (3, 3, 4, 5)
    np.testing.assert_array_equal(trial.draws[0].probability[0], 1)


def test_nobody_present_gives_no_trial(describe):
    fusion = MajorityVote(NoOptions(), describe())
    assert list(fusion.fuse(np.zeros((4, 2, 2), np.uint8), np.zeros(4, bool), 1, NOISE)) == []
