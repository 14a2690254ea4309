import numpy as np
import pytest

from mrbench.metrics.shares import Shares, count_shares, count_votes


def test_pixels_are_told_apart_by_votes_and_by_who_marks_them(squares):
    shares = count_votes(squares(2, 3), squares(2, 4))
    rows = zip(shares.total.tolist(), shares.pattern.tolist(), shares.pixels.tolist(), strict=True)
    assert sorted(rows) == [(0, 0, 256 - 16), (1, 0, 16 - 9), (1, 0b10, 9 - 4), (2, 0b11, 4)]
    assert shares.marked.tolist() == [bin(pattern).count("1") for pattern in shares.pattern]


def test_probabilities_have_an_entry_per_pixel_and_their_mean(squares):
    shares = count_shares(squares(2, 3), np.stack([squares(2)[0] * 0.5, squares(2)[0] * 1.0]))
    assert (len(shares.total), shares.pixels.sum()) == (256, 256)
    assert sorted(set(shares.predicted.tolist())) == [0, 0.75]


def test_marks_are_those_of_the_raters_who_are_present():
    pattern = np.array([0b000, 0b001, 0b100, 0b101])
    shares = Shares(np.zeros(4, np.int64), 1, pattern, np.ones(4, np.int64), np.array([0, 2]))
    assert shares.marked_by.tolist() == [[0, 1, 0, 1], [0, 0, 1, 1]]
    assert shares.marked.tolist() == shares.marked_by.sum(axis=0).tolist()


def test_votes_are_no_probabilities(squares):
    with pytest.raises(ValueError, match="samples must be boolean masks"):
        count_votes(squares(2), squares(2).astype(float))
