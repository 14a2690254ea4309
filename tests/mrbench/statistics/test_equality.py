"""When two values are the same: sums in another order are, others are not."""

from itertools import permutations

import numpy as np
import pytest

from mrbench.statistics.equality import TIE, tied


def test_means_of_the_same_numbers_in_any_order_are_tied():
    values = [0.1, 0.2, 0.3, 0.7, 0.9, 0.05]
    means = np.array([sum(order) / len(order) for order in permutations(values)])
    assert len(set(means.tolist())) > 1, "else there is nothing to tie"
    assert len(set(tied(means).tolist())) == 1


@pytest.mark.parametrize("seed", range(5))
def test_values_that_differ_by_more_stay_apart_and_in_order(seed: int):
    random = np.random.default_rng(seed)
    values = random.permutation(np.cumsum(random.uniform(1.5 * TIE, 1, 40)))
    assert tied(values).tolist() == values.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_equal_values_are_those_that_were_put_in(seed: int):
    random = np.random.default_rng(seed)
    group = random.integers(0, 5, (6, 7))
    found = tied(group / 7 + random.uniform(-TIE / 4, TIE / 4, group.shape))
    assert found.shape == group.shape
    assert np.array_equal(found[..., None, None] == found, group[..., None, None] == group)
    assert np.array_equal(found[..., None, None] < found, group[..., None, None] < group)


def test_a_chain_of_small_steps_is_one_value():
    values = TIE * 0.9 * np.arange(4)
    assert set(tied(values).tolist()) == {0.0}


def test_no_value_is_tied_with_none():
    assert tied(np.zeros((0, 3))).shape == (0, 3)
    assert tied(np.array([0.5])).tolist() == [0.5]
