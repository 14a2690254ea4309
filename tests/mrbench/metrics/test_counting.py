from fractions import Fraction

import numpy as np
import pytest

from mrbench.metrics.counting import (
    count_class,
    count_intersections,
    joint_histogram,
    levels,
    pack_masks,
    popcount,
    threshold_counts,
)


def test_intersections_are_exact_beyond_the_integers_of_float32():
    pixels = (1 << 24) + 3
    packed = pack_masks(np.ones((2, pixels), bool))
    assert count_intersections(packed).tolist() == [[pixels, pixels], [pixels, pixels]]


def test_intersections_equal_a_plain_count():
    masks = np.random.default_rng(0).random((5, 37)) < 0.3
    expected = [[int((a & b).sum()) for b in masks] for a in masks]
    assert count_intersections(pack_masks(masks)).tolist() == expected


def test_masks_without_foreground_count_nothing():
    shared, votes, patterns = count_class(pack_masks(np.zeros((3, 20), bool)), np.ones((1, 3), int), 2)
    assert not shared.any()
    assert votes.shape == (1, 0)
    assert joint_histogram(votes[0], patterns, 20).tolist() == [[0, 0, 20]]


def test_histogram_lists_each_vote_and_pattern_that_occurs():
    masks = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 1, 0, 0, 1]], bool)
    _, votes, patterns = count_class(pack_masks(masks), np.array([[1, 0, 0]]), 2)
    rows = joint_histogram(votes[0], patterns, 5).tolist()
    assert rows == [[0, 0, 1], [0, 1, 1], [0, 2, 1], [1, 2, 1], [1, 3, 1]]


def test_histogram_of_many_raters_agrees_with_that_of_few():
    rng = np.random.default_rng(1)
    votes, patterns = rng.integers(0, 4, 50), rng.integers(0, 16, 50)
    few, many = (joint_histogram(votes, patterns << shift, 60) for shift in (0, 58))
    assert np.array_equal(few[:, [0, 2]], many[:, [0, 2]])
    assert np.array_equal(few[:, 1] << 58, many[:, 1])


def test_popcount_counts_the_bits_of_62_raters():
    assert popcount(np.array([0, 1, 5, (1 << 62) - 1])).tolist() == [0, 1, 2, 62]
    assert popcount(np.zeros(0, np.int64)).tolist() == []


@pytest.mark.parametrize("n", [1, 2, 4, 5, 10, 20, 50, 100])
def test_levels_are_those_of_exact_fractions(n):
    expected = [sum(Fraction(votes, n) > Fraction(k, 10) for k in (1, 3, 5, 7, 9)) for votes in range(n + 1)]
    assert levels(np.arange(n + 1), n).tolist() == expected
    assert levels(np.arange(n + 1).astype(np.float64), n).tolist() == expected


def test_four_raters_exceed_the_thresholds_as_1_2_3_3_4_raters():
    reached = levels(np.arange(5), 4)
    assert [int(np.argmax(reached > t)) for t in range(5)] == [1, 2, 3, 3, 4]


def test_threshold_counts_weigh_entries_by_their_pixels():
    first, second = np.array([0, 5, 2], np.uint8), np.array([5, 3, 0], np.uint8)
    plain = threshold_counts(np.repeat(first, [2, 3, 4]), np.repeat(second, [2, 3, 4]))
    assert np.array_equal(threshold_counts(first, second, np.array([2, 3, 4])), plain)
    assert plain.tolist() == [[7, 5, 3], [7, 5, 3], [3, 5, 3], [3, 2, 0], [3, 2, 0]]
