import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.metrics import ncc, ncc_phiseg

MASKS = st.integers(2, 5).flatmap(lambda n: arrays(bool, (n, 3, 4)))


@given(MASKS, MASKS)
def test_correlation_lies_between_minus_1_and_1_and_does_not_see_classes(samples, raters):
    for metric in (ncc, ncc_phiseg):
        value = metric(raters, samples)
        assert value is None or -1 <= value <= 1
        assert metric(~raters, ~samples) == (None if value is None else pytest.approx(value, abs=1e-12))


@given(MASKS)
def test_samples_that_are_the_raters_correlate_fully(masks):
    value = ncc(masks, masks)
    assert value is None or value == pytest.approx(1)


@given(MASKS, MASKS)
def test_doubling_every_sample_changes_nothing(samples, raters):
    doubled = np.concatenate([samples, samples])
    assert ncc(raters, doubled) == pytest.approx(ncc(raters, samples), abs=1e-12)


def test_variance_in_the_wrong_place_is_worse_than_chance():
    samples, raters = np.zeros((2, 2, 1, 4), bool)
    samples[0, 0, 0] = raters[0, 0, 3] = True
    # Variance at one of four pixels each: the covariance is -1/16, the variances are 3/16.
    assert ncc(raters, samples) == pytest.approx(-1 / 3)


def test_samples_without_variance_tell_nothing(squares):
    assert ncc(squares(2, 8), squares(4, 4)) == ncc(squares(2, 8), squares(0)) == 0
    assert ncc_phiseg(squares(2, 8), squares(4, 4)) == ncc_phiseg(squares(0, 0), squares(0)) == 0


def test_raters_without_variance_are_missing_for_every_method(squares):
    for samples in (squares(2, 4), squares(4, 4), squares(0)):
        assert ncc(squares(4, 4), samples) is None
        assert ncc(squares(4), samples) is None
        assert ncc(squares(0, 0), samples) is None


def test_phiseg_rewards_variance_where_samples_miss_a_rater(squares):
    raters = squares(4, 6)
    assert ncc_phiseg(raters, squares(4, 6)) > ncc_phiseg(raters, squares(1, 2))


def test_phiseg_of_samples_against_one_of_them():
    samples = np.array([[[True, False, False, False]], [[False, False, False, False]]])
    # Variance 1/4 and difference from the empty rater 1/2 at one pixel: full correlation. The full rater differs by 1/2
    # there and by 1 elsewhere: full anticorrelation.
    assert ncc_phiseg(np.zeros((1, 1, 4), bool), samples) == pytest.approx(1)
    assert ncc_phiseg(np.ones((1, 1, 4), bool), samples) == pytest.approx(-1)


def test_probabilities_are_refused():
    with pytest.raises(ValueError, match="samples must be boolean masks"):
        ncc(np.zeros((2, 2, 2), bool), np.zeros((2, 2, 2)))
