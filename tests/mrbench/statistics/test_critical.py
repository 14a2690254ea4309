"""Friedman and Nemenyi by hand, and against the numbers of Demsar (2006)."""

import numpy as np
import pytest
from scipy import stats

from mrbench.statistics import CriticalDifference, critical_difference


def found_in(values: np.ndarray, *, higher: bool = True) -> CriticalDifference:
    found = critical_difference(values, higher=higher)
    assert isinstance(found, CriticalDifference)
    return found


def test_ranks_by_hand_and_the_critical_difference_of_demsars_example():
    # Four methods on 14 data sets: q is 2.569 (his table 5), and the critical difference 1.25.
    values = np.array([[4.0, 2, 3, 1]] * 7 + [[3.0, 1, 4, 2]] * 7)
    found = found_in(values, higher=False)
    assert found.ranks == (3.5, 1.5, 3.5, 1.5)
    assert found.difference == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=1e-3)
    assert found.difference == pytest.approx(1.25, abs=5e-3)
    assert found.statistic == pytest.approx(12 * 14 / 20 * (2 * 3.5**2 + 2 * 1.5**2 - 25))
    assert found.p == pytest.approx(stats.chi2.sf(found.statistic, 3))
    assert (found.blocks, found.groups) == (14, ((1, 3), (0, 2)))


@pytest.mark.parametrize(("methods", "q"), [(3, 2.343), (5, 2.728), (10, 3.164)])
def test_the_quantiles_are_those_of_demsars_table_5(methods: int, q: float):
    found = found_in(np.random.default_rng(0).normal(size=(20, methods)))
    assert found.difference == pytest.approx(q * np.sqrt(methods * (methods + 1) / 120), rel=1e-3)


def test_tied_methods_share_their_rank():
    values = np.array([[0.0, 0.0, 1.0]] * 10)
    assert found_in(values).ranks == (2.5, 2.5, 1)


def test_methods_that_lie_far_apart_are_in_different_groups():
    values = np.array([[0.0, 0.1, 1.0, 1.1]] * 12) + np.random.default_rng(0).normal(0, 0.2, (12, 4))
    assert found_in(values).groups == ((3, 2), (1, 0)) or found_in(values).groups == ((2, 3), (0, 1))
    assert found_in(-values, higher=False).ranks == found_in(values).ranks


def test_where_friedman_tells_nothing_apart_all_are_one_group():
    values = np.random.default_rng(1).normal(size=(12, 4))
    found = found_in(values)
    assert found.p > 0.05
    assert len(found.groups) == 1
    assert len(found.groups[0]) == 4


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((20, 2)), "2 methods: a critical difference needs 3; two are compared by a paired test"),
        (np.zeros((9, 3)), "9 blocks: a critical difference needs 10"),
        (np.vstack([np.zeros((9, 3)), np.full((5, 3), np.nan)]), "9 blocks: a critical difference needs 10"),
        (np.zeros((20, 3)), "no block tells any two methods apart"),
    ],
)
def test_what_it_cannot_do_is_refused_with_the_reason(values, reason):
    assert critical_difference(values, higher=True) == reason
