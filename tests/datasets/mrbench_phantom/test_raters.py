"""Styles, disagreement, misses and ratings: what makes the phantom worth learning."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.stats import spearmanr

from mrbench_phantom.config import PhantomConfig
from mrbench_phantom.raters import STYLES, mark, noise_free, scaled
from mrbench_phantom.ratings import NAMES
from mrbench_phantom.subject import make_scene


def dice(first, second):
    """(N,) Dice of (N, H, W) masks; 1 where both are empty."""
    size = first.sum(axis=(1, 2)) + second.sum(axis=(1, 2))
    return np.where(size > 0, 2 * (first & second).sum(axis=(1, 2)) / np.maximum(size, 1), 1.0)


def pairwise_dice(masks):
    """(N,) mean over the pairs of different raters."""
    return np.mean([dice(masks[:, a], masks[:, b]) for a, b in combinations(range(masks.shape[1]), 2)], axis=0)


@pytest.fixture(scope="module")
def pure():
    """(N, R, H, W) what the styles alone would mark."""
    config = PhantomConfig(subjects=200, size=40, seed=3)
    lesions = [make_scene(config, number).lesion for number in range(config.subjects)]
    return np.concatenate([np.stack([noise_free(x, style) for style in STYLES[:4]], axis=1) for x in lesions])


def test_raters_agree_as_well_as_experts_do(many_masks):
    assert 0.7 < pairwise_dice(many_masks).mean() < 0.85


def test_the_generous_rater_marks_more_than_the_tight_one_nearly_always(many_masks):
    area = many_masks.sum(axis=(2, 3))
    seen = (area[:, :2] > 0).all(axis=1)
    assert (area[seen, 1] > area[seen, 0]).mean() > 0.97


def test_a_rater_is_closest_to_their_own_style(many_masks, pure):
    table = np.array([[dice(pure[:, a], many_masks[:, b]).mean() for b in range(4)] for a in range(4)])
    assert (table.argmax(axis=0) == np.arange(4)).all()
    assert np.diag(table).mean() > 0.9


def test_styles_beat_the_majority_by_a_clear_margin(many_masks, pure):
    majority = many_masks.sum(axis=1) >= 2
    to_majority = np.mean([dice(majority, many_masks[:, r]).mean() for r in range(4)])
    to_style = np.mean([dice(pure[:, r], many_masks[:, r]).mean() for r in range(4)])
    assert to_style > to_majority + 0.05


def test_raters_stay_noisy_around_their_style(many_masks, pure):
    own = np.concatenate([dice(pure[:, r], many_masks[:, r]) for r in range(4)])
    assert (own < 1).mean() > 0.9


def test_ill_defined_margins_drive_disagreement_more_than_any_other_attribute(many, many_masks):
    disagreement = 1 - pairwise_dice(many_masks)
    tie = {
        name: spearmanr(np.nanmean(values, axis=1), disagreement).statistic for name, values in many.attributes.items()
    }
    assert tie["margin"] < -0.4
    assert max(tie, key=lambda name: abs(tie[name])) == "margin"


def test_opinions_on_the_margin_scatter_where_masks_do(many, many_masks):
    scatter = np.nanstd(many.attributes["margin"], axis=1)
    assert spearmanr(scatter, 1 - pairwise_dice(many_masks)).statistic > 0.2


def test_ratings_are_whole_numbers_from_one_to_five_and_differ_between_raters(many):
    assert tuple(many.attributes) == NAMES
    for values in many.attributes.values():
        given = values[~np.isnan(values)]
        assert set(given) <= {1, 2, 3, 4, 5}
        assert np.nanstd(values, axis=1).mean() > 0.1


def test_misses_are_present_with_an_empty_mask_and_no_rating(many, many_masks):
    empty = ~many_masks.any(axis=(2, 3))
    assert 0.002 < empty.mean() < 0.04
    assert many.present[empty].all()
    np.testing.assert_array_equal(np.isnan(many.attributes["subtlety"]), empty)


def test_what_is_missed_is_subtle(many, many_masks):
    missed = ~many_masks.any(axis=(2, 3)).all(axis=1)
    subtlety = np.nanmean(many.attributes["subtlety"], axis=1)
    assert subtlety[missed].mean() < subtlety[~missed].mean() - 0.8


def test_somebody_marks_every_case(many_masks):
    assert many_masks.any(axis=(1, 2, 3)).all()


def test_lesions_stand_out_from_their_surroundings(many, many_masks):
    core = many_masks.all(axis=1)
    image = np.stack([many.pixels.image(i)[0] for i in range(len(many))]) / 255
    visible = [x[c].mean() - np.median(x) for x, c in zip(image, core, strict=True) if c.any()]
    assert np.mean(np.array(visible) > 0.08) > 0.95


def test_a_scale_of_one_leaves_every_style_as_it_is_to_the_bit():
    assert [scaled(style, 1.0) for style in STYLES] == list(STYLES)


def test_without_styles_all_raters_draw_from_one_distribution():
    config = PhantomConfig(style_scale=0)
    scene = make_scene(config, 3)
    assert len({replace(scaled(style, 0.0), name="") for style in STYLES}) == 1
    # One style, and so one mask for the same noise, whoever draws.
    first, *others = (
        mark(scene.lesion, scene.traits, scaled(style, 0.0), scene.grid, np.random.default_rng(5)) for style in STYLES
    )
    assert first.any()
    assert all(np.array_equal(first, other) for other in others)


def test_without_styles_raters_still_differ_and_nobody_marks_more_than_others(load):
    cases = load(subjects=60, size=40, style_scale=0)
    masks = np.stack([cases.pixels.masks(i) for i in range(len(cases))]).astype(bool)
    assert 0.8 < pairwise_dice(masks).mean() < 0.95
    area = masks.sum(axis=(2, 3)).mean(axis=0)
    assert area.max() / area.min() < 1.1


def test_raters_part_as_their_styles_grow_and_images_stay(load):
    phantoms = [load(subjects=40, size=40, style_scale=scale) for scale in (0, 0.25, 0.5, 0.75, 1)]
    agreement = [
        pairwise_dice(np.stack([cases.pixels.masks(i) for i in range(len(cases))]).astype(bool)).mean()
        for cases in phantoms
    ]
    assert all(later < earlier - 0.01 for earlier, later in pairwise(agreement))
    for i in range(len(phantoms[0])):
        np.testing.assert_array_equal(phantoms[0].pixels.image(i), phantoms[-1].pixels.image(i))
