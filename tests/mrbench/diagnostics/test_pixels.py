"""Pixels whose entropy and information are known by hand."""

import math

import numpy as np
import pytest

from mrbench.diagnostics.pixels import pixel_information
from mrbench.metrics.counting import pack_masks


def packed(masks: list[list[list[int]]]) -> np.ndarray:
    """``(R, S, 1, bytes)`` of masks ``(R, S, pixels)``."""
    return np.stack([pack_masks(np.array(own, bool)[:, None]) for own in masks])


def test_answers_that_draw_nothing_tell_of_the_rater_alone():
    found = pixel_information(packed([[[1, 1, 0]], [[1, 0, 0]]]))  # only the second pixel tells them apart
    assert found.entropy == found.of_rater == pytest.approx(math.log(2))
    assert found.within == 0


def test_draws_that_all_raters_share_tell_nothing_of_the_rater():
    found = pixel_information(packed(2 * [[[1], [0], [1], [0]]]))
    assert found.of_rater == pytest.approx(0, abs=1e-12)
    assert found.entropy == found.within


def test_classes_and_pixels_add_up_and_bytes_past_the_end_count_nothing():
    one = packed([[[1], [0]], [[1], [1]]])
    many = packed([[9 * [1], 9 * [0]], [9 * [1], 9 * [1]]])
    both = np.concatenate([one, one], axis=2)
    assert pixel_information(many) == pytest.approx([9 * value for value in pixel_information(one)])
    assert pixel_information(both) == pytest.approx([2 * value for value in pixel_information(one)])


def test_few_draws_give_the_entropy_of_many_on_average():
    # 3000 pixels marked with probability .3 by rater 0 and .6 by rater 1, of 8 draws each
    noise = np.random.default_rng(0)
    shares = np.array([0.3, 0.6])[:, None, None]
    found = pixel_information(packed((noise.random((2, 8, 3000)) < shares).tolist()))

    def h(p: float) -> float:
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    within = (h(0.3) + h(0.6)) / 2
    assert found.within / 3000 == pytest.approx(within, rel=0.02)  # the plain estimate is 9 % too small,
    assert found.of_rater / 3000 == pytest.approx(h(0.45) - within, abs=0.01)  # and that of the rest .03 too large
