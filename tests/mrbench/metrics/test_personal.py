import pytest

from mrbench.metrics import dice_match, dice_rater, iou, rater_identification


def test_swapping_raters_moves_dice_rater_and_not_dice_match(squares):
    own, swapped, raters = squares(2, 8), squares(8, 2), squares(2, 8)
    assert dice_rater(raters, own).tolist() == [1, 1]
    assert dice_rater(raters, swapped).tolist() == [8 / 68, 8 / 68]
    assert dice_match(raters, own) == dice_match(raters, swapped) == 1


def test_own_predictions_are_identified_and_swapped_ones_are_not(squares):
    assert rater_identification(squares(2, 8), squares(2, 8)).tolist() == [1, 1]
    assert rater_identification(squares(2, 8), squares(8, 2)).tolist() == [0, 0]


def test_one_prediction_for_all_is_identified_by_chance(squares):
    assert rater_identification(squares(2, 4, 8), squares(4, 4, 4)).tolist() == [1 / 3] * 3


def test_a_tie_of_two_counts_half(squares):
    assert rater_identification(squares(4, 4, 8), squares(4, 4, 8)).tolist() == [0.5, 0.5, 1]


def test_iou_of_own_predictions(squares):
    assert iou(squares(4, 4), squares(2, 4)).tolist() == [0.25, 1]


def test_one_prediction_per_rater_is_needed(squares):
    with pytest.raises(ValueError, match="got 2 for 3 raters"):
        dice_rater(squares(2, 4, 6), squares(2, 4))
