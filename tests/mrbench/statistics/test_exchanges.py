"""Exchanges of subjects: all of them, or random ones whose p is never 0."""

import numpy as np
import pytest

from mrbench.statistics.exchanges import enumerable, exchanges, p_of_exchanges


def test_few_subjects_are_exchanged_in_every_way():
    found = np.concatenate(list(exchanges(3, 9999, 0, block=3)))
    assert sorted(map(tuple, found.tolist())) == [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    assert enumerable(13, 9999)
    assert not enumerable(14, 9999)


@pytest.mark.parametrize("n", [14, 64, 65, 130])
def test_the_size_of_a_block_changes_no_draw(n):
    whole = next(exchanges(n, 200, 5, block=200))
    assert whole.shape == (200, n)
    for block in (1, 7):
        assert np.array_equal(np.concatenate(list(exchanges(n, 200, 5, block=block))), whole)


def test_each_subject_moves_in_half_of_the_draws():
    assert next(exchanges(70, 4000, 0, block=4000)).mean(axis=0) == pytest.approx(np.full(70, 0.5), abs=0.05)


def test_random_exchanges_count_the_observed_one_so_that_p_is_never_zero():
    drawn = np.zeros(999)
    assert p_of_exchanges(1.0, drawn, 100, 999).p == 1 / 1000
    assert p_of_exchanges(1.0, np.append(drawn[:-3], [1, -1, 2]), 100, 999).p == 4 / 1000


def test_an_exchange_that_differs_by_rounding_or_has_no_value_counts_as_far():
    drawn = np.append(np.zeros(997), [1 - 1e-13, np.nan])
    assert p_of_exchanges(1.0, drawn, 100, 999).p == 3 / 1000
