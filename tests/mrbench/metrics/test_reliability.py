import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.metrics import brier, brier_rater, brier_share, dice_soft_prob, ece, ece_rater
from mrbench.metrics.reliability import calibration_error, reliability_of
from mrbench.metrics.shares import count_shares

GRID = (3, 4)
RATERS = st.integers(1, 4).flatmap(lambda n: arrays(bool, (n, *GRID)))
SAMPLES = st.integers(1, 6).flatmap(lambda n: arrays(bool, (n, *GRID)))


def strip(*values):
    """``(1, 1, n)``: one map of n pixels."""
    return np.array(values)[None, None]


def test_a_share_that_is_the_frequency_is_calibrated():
    # Eight pixels at 1/4, of which a quarter are marked; four at 3/4, of which three are.
    predicted = strip(*[0.25] * 8, *[0.75] * 4)
    raters = strip(*[True] * 2, *[False] * 6, *[True] * 3, False)
    assert ece(raters, predicted) == pytest.approx(0, abs=1e-12)
    assert brier(raters, predicted) == pytest.approx(0.25 * 0.75)


def test_the_error_is_the_gap_of_each_bin_weighed_by_its_pixels():
    predicted, raters = strip(0.1, 0.1, 0.9, 0.9, 0.9), strip(True, False, True, True, True)
    assert ece(raters, predicted) == pytest.approx(2 / 5 * 0.4 + 3 / 5 * 0.1)


@pytest.mark.parametrize("bins", [10, 15])
def test_a_probability_on_an_edge_belongs_to_the_bin_below(bins):
    # ceil(0.7 * 10) is 8: the edge would fall into the bin above, and be averaged with what lies there.
    for k in range(1, bins):
        edge = strip(k / bins, k / bins - 1e-6, k / bins + 1e-6)
        seen = reliability_of(count_shares(strip(True, True, True), edge), bins)[0]
        assert seen[k - 1 : k + 1].tolist() == [2, 1]


def test_votes_lie_on_edges_as_fractions_do():
    for votes in range(16):
        samples = np.arange(15)[:, None, None] < np.full((1, 1, 1), votes)
        seen = reliability_of(count_shares(strip(True), samples))[0]
        assert np.flatnonzero(seen).tolist() == [max(votes - 1, 0)]


@given(SAMPLES, RATERS)
def test_a_share_given_as_a_probability_scores_alike(samples, raters):
    share = (samples.sum(axis=0) / len(samples))[None]
    for metric in (ece, brier, brier_share):
        assert metric(raters, samples) == pytest.approx(metric(raters, share), abs=1e-12)
    assert ece_rater(raters, samples) == pytest.approx(ece_rater(raters, share), abs=1e-12)


@given(SAMPLES, RATERS)
def test_brier_is_the_distance_from_the_share_and_the_raters_own_variance(samples, raters):
    share = raters.mean(axis=0)
    own = (share * (1 - share)).mean()
    assert brier(raters, samples) == pytest.approx(brier_share(raters, samples) + own, abs=1e-12)
    assert brier_rater(raters, samples).mean() == pytest.approx(brier(raters, samples), abs=1e-12)


@given(SAMPLES, RATERS)
def test_pooling_raters_never_adds_to_the_calibration_error(samples, raters):
    assert 0 <= ece(raters, samples) <= ece_rater(raters, samples).mean() + 1e-12


@given(SAMPLES, RATERS)
def test_reliability_of_two_images_is_the_sum_of_theirs(samples, raters):
    first = raters[:, :1], samples[:, :1]
    second = raters[:, 1:], samples[:, 1:]
    total = sum(reliability_of(count_shares(*part)) for part in (first, second))
    assert calibration_error(total) == pytest.approx(ece(raters, samples), abs=1e-12)


def test_cases_may_lie_along_an_axis():
    rng = np.random.default_rng(0)
    predicted, raters = rng.random((2, 5, 4, 4)), rng.random((3, 5, 4, 4)) < 0.5
    assert brier(raters, predicted) == pytest.approx(np.mean([brier(raters[:, n], predicted[:, n]) for n in range(5)]))


def test_samples_that_are_the_raters_predict_their_share(squares):
    raters = squares(2, 4, 8)
    assert (ece(raters, raters), brier_share(raters, raters)) == (0, 0)
    assert brier(raters, raters) > 0


def test_empty_masks_are_certain_of_the_background(squares):
    assert ece(squares(0, 0), squares(0)) == brier(squares(0, 0), squares(0)) == 0
    assert ece(squares(4), squares(0)) == brier(squares(4), squares(0)) == 16 / 256


@pytest.mark.parametrize("value", [1.5, -0.1, np.nan, np.inf])
def test_what_is_no_probability_is_refused(value):
    with pytest.raises(ValueError, match=r"probabilities must lie in \[0, 1\]; got a mean of "):
        ece(strip(True, False), strip(0.5, value))


def test_labels_and_single_maps_are_refused():
    with pytest.raises(ValueError, match="samples must be boolean masks"):
        brier(strip(True, False), strip(1, 0))
    for metric in (ece, dice_soft_prob):
        with pytest.raises(ValueError, match=r"floats \(S, \*spatial\) with S >= 1; got float64 of shape \(4,\)"):
            metric(strip(*[True] * 4), np.zeros(4))
    with pytest.raises(ValueError, match="bins must be at least 1; got 0"):
        ece(strip(True), strip(0.5), bins=0)
    with pytest.raises(ValueError, match="at most 62 raters can be told apart; got 63"):
        ece(np.zeros((63, 2, 2), bool), np.zeros((1, 2, 2)))
