import numpy as np
import pytest

from mrbench.metrics import PUBLISHED, STRICT, dice_matrix, iou_matrix


def test_nested_squares_have_the_ratio_of_their_areas(squares):
    assert iou_matrix(squares(4), squares(2, 4)).tolist() == [[4 / 16], [1]]
    assert dice_matrix(squares(4), squares(2, 4)).tolist() == [[8 / 20], [1]]


def test_two_empty_masks_agree_fully_or_not_at_all(squares):
    empty = squares(0)
    assert iou_matrix(empty, empty, protocol=STRICT).item() == 1
    assert iou_matrix(empty, empty, protocol=PUBLISHED).item() == 0
    assert (
        dice_matrix(empty, empty, protocol=STRICT).item() == dice_matrix(empty, empty, protocol=PUBLISHED).item() == 1
    )


def test_an_empty_mask_has_nothing_in_common_with_a_full_one(squares):
    assert iou_matrix(squares(4), squares(0)).item() == dice_matrix(squares(4), squares(0)).item() == 0


def test_masks_of_any_dimension_are_taken():
    volume = np.zeros((3, 2, 4, 5), bool)
    assert dice_matrix(volume[:1], volume).shape == (3, 1)


def test_labels_are_refused_with_the_remedy():
    masks = np.zeros((2, 4, 4), np.uint8)
    with pytest.raises(ValueError, match=r"samples must be boolean masks, e\.g\. labels == 1; got uint8"):
        dice_matrix(masks > 0, masks)


def test_no_mask_is_refused():
    with pytest.raises(ValueError, match=r"raters must be .* at least one mask; got shape \(0, 4, 4\)"):
        dice_matrix(np.zeros((0, 4, 4), bool), np.zeros((1, 4, 4), bool))


def test_masks_on_different_grids_are_refused():
    with pytest.raises(ValueError, match=r"grid \(4, 4\), samples on \(4, 5\)"):
        iou_matrix(np.zeros((1, 4, 4), bool), np.zeros((1, 4, 5), bool))


def test_matrices_given_out_can_be_changed_without_harm():
    masks = np.random.default_rng(0).random((4, 6, 6)) < 0.5
    for matrix in (dice_matrix, iou_matrix):
        first = matrix(masks, masks)
        kept = first.copy()
        first[:] = 0
        assert np.array_equal(matrix(masks, masks), kept)
