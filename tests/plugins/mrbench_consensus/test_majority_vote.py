import numpy as np

from mrbench_consensus.majority_vote import fuse

NOISE = np.random.default_rng(0)


def test_absent_raters_have_no_vote(describe):
    masks = np.array([[[1, 0]], [[9, 9]], [[1, 0]], [[0, 1]]], np.uint8)
    trial = fuse(masks, np.array([True, False, True, True]), 1, NOISE, describe())
    np.testing.assert_array_equal(trial.consensus, [[1, 0]])
    assert trial.truth is None


def test_labels_of_all_classes_of_the_data_set_have_votes(describe):
    masks = np.array([[[2, 2, 0]], [[2, 1, 0]], [[0, 1, 0]]], np.uint8)
    trial = fuse(masks, np.ones(3, bool), 1, NOISE, describe(3, classes=3))
    np.testing.assert_array_equal(trial.consensus, [[2, 1, 0]])
