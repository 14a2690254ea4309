"""Tie groups: two methods share a letter exactly if they are not told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrbench.statistics import letters, tie_groups


def apart(n, *pairs):
    found = np.zeros((n, n), bool)
    for i, j in pairs:
        found[i, j] = found[j, i] = True
    return found


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (apart(0), []),
        (apart(1), ["a"]),
        (apart(3), ["a", "a", "a"]),
        (apart(2, (0, 1)), ["a", "b"]),
        (apart(3, (0, 2)), ["a", "ab", "b"]),
        (apart(4, (0, 2), (0, 3), (1, 3)), ["a", "ab", "bc", "c"]),
        (apart(3, (0, 1)), ["a", "b", "ab"]),
    ],
)
def test_letters_by_hand(matrix, expected):
    assert letters(matrix) == expected


def test_letters_go_on_after_those_that_are_used_and_beyond_the_alphabet():
    assert letters(apart(2, (0, 1)), first=2) == ["c", "d"]
    assert letters(apart(2, (0, 1)), first=51) == ["Z", "(53)"]


@given(st.integers(1, 7), st.randoms(use_true_random=False))
def test_two_share_a_letter_exactly_if_they_are_not_told_apart_and_no_group_is_in_another(n, random):
    matrix = apart(n, *((i, j) for i in range(n) for j in range(i) if random.random() < 0.5))
    groups = [set(group) for group in tie_groups(matrix)]
    for i in range(n):
        for j in range(n):
            assert any({i, j} <= group for group in groups) != matrix[i, j]
    assert not any(one < other for one in groups for other in groups)
