import numpy as np
import pytest

from mrbench import DrawKind
from mrbench_consensus.config import NoOptions
from mrbench_consensus.majority_vote import MajorityVote, majority_vote

NOISE = np.random.default_rng(0)


def voted(*raters: list[int], classes: int) -> list[int]:
    return majority_vote(np.array(raters, np.uint8), classes).tolist()


def test_half_of_the_raters_is_enough():
    assert voted([1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], classes=2) == [1, 1, 0]


def test_one_of_three_raters_is_not_enough():
    assert voted([1, 1], [0, 1], [0, 0], classes=2) == [0, 1]


def test_with_more_classes_the_label_with_most_votes_wins():
    assert voted([2, 0, 1], [2, 0, 3], [1, 3, 3], classes=4) == [2, 0, 3]


def test_a_tie_between_labels_goes_to_the_lowest_foreground_label():
    assert voted([3, 0], [2, 2], classes=4) == [2, 2]
    assert voted([0, 0], [0, 1], [1, 1], [2, 0], classes=3) == [0, 1]


def test_two_classes_are_a_case_of_more():
    masks = np.random.default_rng(0).integers(0, 2, (4, 9, 9), dtype=np.uint8)
    np.testing.assert_array_equal(majority_vote(masks, 2), majority_vote(masks, 5))


def test_masks_of_bytes_do_not_wrap():
    assert voted(*[[1, 0]] * 200, *[[0, 0]] * 190, classes=2) == [1, 0]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_masks_may_be_of_any_unsigned_type(dtype: type):
    assert majority_vote(np.array([[1, 0], [1, 1]], dtype), 2).tolist() == [1, 1]


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
