"""Lines in place of void pixels."""

import numpy as np

from mrbench.hatching import GREYS, WIDTH, hatched


def test_pixels_that_count_stay_and_the_others_are_two_greys():
    grey = np.arange(96, dtype=np.uint8).reshape(2, 6, 8)
    valid = np.ones((2, 6, 8), bool)
    valid[1, 2:] = False
    found = hatched(grey, valid)
    np.testing.assert_array_equal(found[valid], grey[valid])
    assert set(found[~valid].tolist()) == set(GREYS)
    assert found.dtype == np.uint8


def test_a_line_runs_along_a_diagonal():
    found = hatched(np.zeros((8, 8), np.uint8), np.zeros((8, 8), bool))
    rows, columns = np.indices((8, 8))
    for number in range(15):
        assert set(found[rows + columns == number].tolist()) == {GREYS[number // WIDTH % 2]}


def test_where_all_count_nothing_changes():
    grey = np.zeros((4, 4), np.uint8)
    assert hatched(grey, None) is grey
    np.testing.assert_array_equal(hatched(grey, np.ones((4, 4), bool)), grey)
