"""Calibration counts against Fractions, and their independence of any order."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrbench.metrics.calibration import BINS, bins_of, calibration_counts, fraction_bits


def oracle(probability, marked):
    """{(bin, pattern): [pixels, sum of p, sum of p^2]} in exact arithmetic."""
    found = {}
    for p, marks in zip(map(float, probability), marked.T.tolist(), strict=True):
        at = sum(p > k / BINS for k in range(1, BINS)), sum(mark << rater for rater, mark in enumerate(marks))
        entry = found.setdefault(at, [0, Fraction(0), Fraction(0)])
        for column, value in enumerate((1, Fraction(p), Fraction(p) ** 2)):
            entry[column] += value
    return found


@pytest.mark.parametrize("raters", [1, 4, 20])
def test_counts_are_those_of_exact_arithmetic(raters):
    rng = np.random.default_rng(raters)
    probability = np.where(rng.random(300) < 0.6, rng.random(300) * 0.07, rng.integers(0, 16, 300) / BINS)
    marked = (rng.random((raters, 300)) < 0.2).astype(np.uint8)
    unit = Fraction(1, 1 << fraction_bits(300))
    expected = oracle(probability, marked)
    counts = calibration_counts(probability, marked)
    assert [tuple(row[:2]) for row in counts.tolist()] == sorted(expected)
    for bin_, pattern, pixels, total, square in counts.tolist():
        exact = expected[bin_, pattern]
        assert pixels == exact[0]
        assert abs(total * unit - exact[1]) <= pixels * unit
        assert abs(square * unit - exact[2]) <= 2 * pixels * unit


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_pixels_changes_no_bit(seed):
    rng = np.random.default_rng(seed)
    probability, marked = rng.random(200), rng.integers(0, 2, (3, 200)).astype(np.uint8)
    order = rng.permutation(200)
    assert np.array_equal(
        calibration_counts(probability, marked), calibration_counts(probability[order], marked[:, order])
    )


def test_an_edge_belongs_to_the_bin_below_it():
    edges = np.arange(BINS + 1) / BINS
    assert bins_of(edges).tolist() == [0, *range(BINS)]
    assert bins_of(np.nextafter(edges[1:-1], 1)).tolist() == list(range(1, BINS))
    assert bins_of(np.array([0.7]), 10).tolist() == [6]


def test_certain_background_is_one_entry_and_all_marked_has_none_of_it():
    empty = calibration_counts(np.zeros(64), np.zeros((4, 64), np.uint8))
    assert empty.tolist() == [[0, 0, 64, 0, 0]]
    full = calibration_counts(np.ones(64), np.ones((2, 64), np.uint8))
    assert full.tolist() == [[BINS - 1, 3, 64, 64 << 52, 64 << 52]]


@pytest.mark.parametrize("pixels", [1, 128 * 128, 2**27, 2**40])
def test_no_sum_over_an_image_reaches_62_bits(pixels):
    assert pixels << fraction_bits(pixels) < 1 << 62
