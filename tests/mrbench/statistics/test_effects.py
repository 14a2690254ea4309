"""Effect sizes by hand."""

import pytest

from mrbench.statistics import effect


def test_five_subjects_by_hand():
    found = effect([1.0, 2, 3, -4, 5])
    assert found.rank_biserial == pytest.approx((1 + 2 + 3 + 5 - 4) / 15)
    assert found.standardised == pytest.approx(1.4 / 11.3**0.5)


def test_where_all_subjects_agree_it_is_one_and_zeros_and_missing_values_count_nowhere():
    assert effect([0.1, 0.0, 0.3, float("nan")]).rank_biserial == 1
    assert effect([-0.1, -0.3]).rank_biserial == -1


def test_ties_share_their_rank():
    assert effect([1.0, -1, 2]).rank_biserial == pytest.approx(3 / 6)


def test_no_spread_leaves_no_standardised_size():
    assert effect([0.2]).standardised is None
    assert effect([0.0, 0.0]) == effect([])
    assert effect([]).rank_biserial == 0
