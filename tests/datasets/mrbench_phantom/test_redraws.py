"""Redraws of the phantom's raters: the same style, new noise, slice by slice or whole, whatever the options."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench.diagnostics.masks import distances, mean_of_pairs, packed_labels
from mrbench_phantom import raters, subject
from mrbench_phantom.config import PhantomConfig
from mrbench_phantom.subject import make_subject, mark_again


def noise(number: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(number))


def test_redraws_of_one_noise_are_one_mask_and_of_another_most_often_another(load):
    cases = load(subjects=6, size=32)
    pairs = [(i, r) for i in range(len(cases)) for r in range(4)]
    first, again, other = ([cases.redraw(*one, noise(seed)) for one in pairs] for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert np.mean([np.array_equal(a, b) for a, b in zip(first, other, strict=True)]) < 0.2


def test_a_redraw_by_the_noise_of_the_stored_mask_is_the_stored_mask():
    config = PhantomConfig(subjects=3, size=32, raters=8, style_scale=0.7, seed=2)
    for number in range(3):
        masks = make_subject(config, number).masks
        for rater, style in enumerate(raters.STYLES):
            own = subject._noise(config, number, style.name, "mask")
            np.testing.assert_array_equal(mark_again(config, number, rater, own), masks[rater])


def test_a_slice_of_a_redraw_is_that_of_the_whole_volume(load):
    slices, volumes = load(subjects=4, size=32), load(subjects=4, size=32, unit="volume")
    for index, (name, k) in enumerate(zip(slices.subjects, slices.slices, strict=True)):
        whole = volumes.redraw(volumes.ids.index(name), 1, noise(3))
        np.testing.assert_array_equal(slices.redraw(index, 1, noise(3)), whole[k])


def test_redraws_are_checked_masks_of_every_unit_and_number_of_raters(load):
    for options in ({}, {"unit": "volume"}, {"raters": 8}, {"raters": 2, "missing": 0.5}, {"slices": 1, "size": 33}):
        cases = load(subjects=3, **{"size": 32, **options})
        for index in range(len(cases)):
            case = cases[index]
            for rater in np.flatnonzero(case.present):
                assert case.redraw(int(rater), noise(0)).shape == case.masks.shape[1:]


def test_a_rater_stays_the_same_when_more_are_asked_for(load):
    few, many = load(subjects=3, size=32, raters=2), load(subjects=3, size=32, raters=8)
    np.testing.assert_array_equal(few.redraw(5, 1, noise(0)), many.redraw(5, 1, noise(0)))


@pytest.mark.parametrize("style_scale", [0, 0.5, 1])
def test_a_stored_mask_lies_among_the_redraws_of_its_rater(load, style_scale: float):
    cases = load(subjects=40, size=32, slices=1, style_scale=style_scale)
    excess = []
    for index in range(len(cases)):
        for rater in range(4):
            drawn = [cases.redraw(index, rater, noise(100 * seed + rater)) for seed in range(6)]
            distance = distances(packed_labels(np.stack([cases.pixels.masks(index)[rater], *drawn]), 2))
            excess.append(distance[0, 1:].mean() - mean_of_pairs(distance[1:, 1:]))
    by_case = np.reshape(excess, (len(cases), 4)).mean(axis=1)
    assert abs(by_case.mean()) < 4 * by_case.std(ddof=1) / len(by_case) ** 0.5


def test_without_styles_redraws_of_two_raters_are_one_mask_where_their_noise_is(load):
    cases = load(subjects=3, size=32, style_scale=0)
    np.testing.assert_array_equal(cases.redraw(0, 0, noise(1)), cases.redraw(0, 3, noise(1)))
    with_styles = load(subjects=3, size=32)
    assert not np.array_equal(with_styles.redraw(0, 0, noise(1)), with_styles.redraw(0, 3, noise(1)))


def test_a_style_without_noise_is_nearer_to_its_rater_than_the_rater_asked_again(load):
    config = PhantomConfig(subjects=40, size=32, slices=1)
    cases, nearer = load(subjects=40, size=32, slices=1), []
    for index, (name, k) in enumerate(zip(cases.subjects, cases.slices, strict=True)):
        lesion = subject.make_scene(config, int(name.removeprefix("subject-"))).lesion
        for rater in range(4):
            masks = cases.pixels.masks(index)[rater], raters.noise_free(lesion, raters.STYLES[rater])[k]
            distance = distances(packed_labels(np.stack([*masks, cases.redraw(index, rater, noise(0))]), 2))
            nearer.append(distance[0, 2] - distance[0, 1])
    by_case = np.reshape(nearer, (len(cases), 4)).mean(axis=1)
    assert by_case.mean() > 3 * by_case.std(ddof=1) / len(by_case) ** 0.5


def test_asking_again_moves_no_pixel_and_no_digest(load):
    cases = load(subjects=3, size=32)
    before = cases.compute_digest()
    for rater in range(4):
        cases.redraw(0, rater, noise(0))
    assert cases.compute_digest() == before == replace(cases, redraw=None).compute_digest()
