import numpy as np
import pytest

from mrbench.consensus import majority_vote


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
