"""The law of total distance holds to the last digit for whole populations, and without bias for draws of them."""

import numpy as np
import pytest

from mrbench.diagnostics.law import Law, law_of
from mrbench.diagnostics.masks import distances, mean_of_pairs
from mrbench.metrics.counting import pack_masks

SIDES = ([2, 3, 4], [5, 6, 6], [3, 8, 1])
"""Of nested squares: the masks that each of three raters draws, each as likely."""


def squares(*sides: int) -> np.ndarray:
    """``(M, 1, bytes)`` packed masks of squares at a corner of 8 x 8 pixels."""
    masks = np.zeros((len(sides), 1, 8, 8), bool)
    for mask, side in zip(masks, sides, strict=True):
        mask[0, :side, :side] = True
    return pack_masks(masks.reshape(len(sides), 1, -1))


def population_law() -> Law:
    """Of all masks of all raters: two independent draws may be one mask."""
    block = distances(squares(*np.concatenate(SIDES))).reshape(3, 3, 3, 3).mean(axis=(1, 3))
    return Law(block.diagonal().copy(), block)


def test_nested_squares_are_at_one_minus_the_ratio_of_their_areas():
    assert distances(squares(2, 4)) == pytest.approx(np.array([[0, 0.75], [0.75, 0]]))


def test_two_empty_masks_are_at_distance_zero_and_one_alone_is_at_one():
    assert distances(squares(0, 0, 3)).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


def test_distances_of_several_classes_are_their_mean_without_those_that_no_mask_holds():
    first, second = squares(2, 4), squares(4, 4)
    three = np.concatenate([first, second, squares(0, 0)], axis=1)
    assert distances(three)[0, 1] == pytest.approx(0.75 / 2)
    assert np.isnan(distances(np.concatenate([squares(0, 0)] * 2, axis=1))).all()


def test_within_and_between_add_up_to_the_distance_of_two_answers_of_random_raters():
    law = population_law()
    whole = distances(squares(*np.concatenate(SIDES))).mean()
    assert law.total == pytest.approx(whole, abs=1e-15)
    assert law.within.mean() + law.between == pytest.approx(whole, abs=1e-15)


def test_no_two_raters_are_nearer_to_each_other_than_to_themselves():
    rng = np.random.default_rng(0)
    for _ in range(50):
        masks = rng.random((12, 1, 40)) < rng.random((12, 1, 1))
        block = distances(pack_masks(masks)).reshape(3, 4, 3, 4).mean(axis=(1, 3))
        delta = Law(block.diagonal().copy(), block).delta
        assert (delta >= -1e-12).all()
        assert delta.diagonal() == pytest.approx(0)


def test_draws_give_the_law_without_bias():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(4000):
        drawn = np.concatenate([rng.choice(sides, 3) for sides in SIDES])
        found.append(law_of(distances(squares(*drawn)).reshape(3, 3, 3, 3)).total)
    assert np.mean(found) == pytest.approx(population_law().total, abs=4 * np.std(found) / len(found) ** 0.5)


def test_noise_that_raters_share_does_not_bring_them_nearer():
    # One number draws both raters' mask: pairs of one number are at distance 0, and do not count.
    rng = np.random.default_rng(2)
    found = []
    for _ in range(3000):
        drawn = rng.choice([2, 4], 4)
        found.append(law_of(distances(squares(*drawn, *drawn)).reshape(2, 4, 2, 4)).delta[0, 1])
    assert np.mean(found) == pytest.approx(0, abs=1e-9)


def test_what_is_not_random_has_nothing_within_and_everything_between():
    law = law_of(distances(squares(2, 4)).reshape(2, 1, 2, 1))
    assert (law.within.tolist(), law.between, law.total) == ([0, 0], pytest.approx(0.375), pytest.approx(0.375))


def test_one_mask_has_no_pair():
    assert np.isnan(mean_of_pairs(np.zeros((1, 1))))
