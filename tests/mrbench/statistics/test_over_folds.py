"""Tests over folds: closed forms, and the plain t test where nothing is corrected."""

import numpy as np
import pytest
from scipy import stats

from mrbench.statistics import corrected_resampled_t, sign_test
from mrbench.statistics.over_folds import share_tested


def test_the_corrected_t_by_hand():
    # Mean 3, variance 2; (1/5 + 1/4) 2 = .9: t = 3 / sqrt(.9), 4 degrees of freedom.
    found = corrected_resampled_t([1.0, 3, 3, 3, 5], 0.25)
    assert found.statistic == pytest.approx(3 / np.sqrt(0.9))
    assert found.p == pytest.approx(2 * stats.t.sf(3 / np.sqrt(0.9), 4))
    assert found.how == "t, 4 degrees of freedom"


def test_without_overlap_it_is_the_t_test():
    values = [0.1, 0.4, 0.2, -0.1]
    assert corrected_resampled_t(values, 0.0).p == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_the_share_of_four_equal_folds_is_a_third():
    assert share_tested([25, 25, 25, 25], 100) == pytest.approx(1 / 3)
    assert share_tested([10, 30], 40) == pytest.approx((10 / 30 + 30 / 10) / 2)


def test_twelve_of_twelve_folds_as_in_the_thesis():
    found = sign_test(12, 0)
    assert found.p == pytest.approx(2 * 0.5**12)
    assert found.p < 0.001


def test_four_of_four_folds_cannot_be_significant():
    found = sign_test(0, 4)
    assert (found.p, found.least) == (0.125, 0.125)


def test_one_and_three_of_four_by_hand():
    assert sign_test(3, 1).p == pytest.approx(2 * (4 + 1) / 16)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (corrected_resampled_t([0.3], 0.5), "one fold: what other training data would change cannot be known"),
        (corrected_resampled_t([0.3, 0.3], 0.5), "the folds do not vary"),
        (sign_test(0, 0), "no fold differs"),
    ],
)
def test_what_they_cannot_do_is_refused_with_the_reason(found, reason):
    assert (found.p, found.reason) == (None, reason)
