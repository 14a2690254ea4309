import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.metrics import crps_area

MASKS = st.integers(1, 5).flatmap(lambda n: arrays(bool, (n, 3, 4)))


def test_one_sample_scores_the_error_of_its_area(squares):
    assert crps_area(squares(2), squares(4)) == 12
    assert crps_area(squares(2, 5), squares(4)) == (12 + 9) / 2


def test_it_is_the_squared_distance_of_the_distribution_functions(squares):
    samples, rater = squares(1, 3, 5), squares(4)
    grid = np.arange(256)
    own = np.mean([grid >= area for area in (1, 9, 25)], axis=0)
    assert crps_area(rater, samples) == pytest.approx(((own - (grid >= 16)) ** 2).sum())


def test_areas_are_in_the_units_of_the_spacing(squares):
    assert crps_area(squares(2), squares(4), spacing=(2, 0.5)) == 12
    volume = np.ones((1, 2, 3, 4), bool)
    assert crps_area(~volume, volume, spacing=(5, 1, 0.5)) == 24 * 2.5


def test_empty_masks_have_no_area(squares):
    assert crps_area(squares(0), squares(0, 0)) == 0
    assert crps_area(squares(4), squares(0)) == 16


@given(MASKS, MASKS)
def test_it_is_never_negative_and_blind_to_place(samples, raters):
    value = crps_area(raters, samples)
    assert value >= -1e-12
    assert crps_area(raters, samples[..., ::-1]) == value


def test_spread_that_covers_the_raters_beats_a_single_guess(squares):
    raters = squares(2, 4, 6, 8)
    assert crps_area(raters, raters) < crps_area(raters, squares(5))


def test_a_spacing_of_the_wrong_length_is_refused(squares):
    with pytest.raises(ValueError, match=r"spacing must be 2 positive numbers, one per axis; got \(1.0,\)"):
        crps_area(squares(2), squares(4), spacing=(1,))
