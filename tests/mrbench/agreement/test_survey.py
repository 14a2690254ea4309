"""Every quantity against plain loops over the masks, without any of the code under test."""

from itertools import combinations

import numpy as np
import pytest

from mrbench.agreement.survey import survey
from mrbench.consensus import staple
from mrbench.data.description import Raters
from mrbench.errors import DataError
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.registry import Registry, discover


def measured(cases, protocol=STRICT, **choices):
    return survey(cases, Registry(), protocol, samples=2, **choices)


def value(found, name):
    return found.estimates[name].value


def dice(a, b):
    total = a.sum() + b.sum()
    return 2 * (a & b).sum() / total if total else 1.0


def distance(a, b, both_empty=0.0):
    union = (a | b).sum()
    return 1 - (a & b).sum() / union if union else both_empty


def pair_means(masks, present, measure):
    """Matrix of the means over the cases that both looked at."""
    r = masks.shape[1]
    rows = [
        [
            np.mean(
                [measure(case[i], case[j]) for case, looked in zip(masks, present, strict=True) if looked[[i, j]].all()]
            )
            for j in range(r)
        ]
        for i in range(r)
    ]
    return np.array(rows)


@pytest.fixture
def present():
    looked = np.random.default_rng(4).random((12, 4)) < 0.7
    looked[:, 0] = True
    return looked


def test_matrices_are_means_over_the_cases_that_both_looked_at(make_cases, blobs, present):
    masks = blobs() > 0
    found = measured(make_cases(masks, present=present))
    np.testing.assert_allclose(value(found, "dice")[0], pair_means(masks, present, dice), atol=1e-12)
    np.testing.assert_allclose(value(found, "distance")[0], pair_means(masks, present, distance), atol=1e-12)
    both = present.astype(int).T @ present
    np.testing.assert_array_equal(found.estimates["dice"].cases[0], both)
    assert found.present.tolist() == np.diag(both).tolist()
    assert sum(found.cases_by_present.values()) == 12


def test_the_mean_of_two_raters_is_of_pairs_within_cases_then_of_cases(make_cases, blobs, present):
    masks = blobs() > 0
    found = measured(make_cases(masks, present=present))
    own = [
        np.mean([dice(case[i], case[j]) for i, j in combinations(np.flatnonzero(looked), 2)])
        for case, looked in zip(masks, present, strict=True)
        if looked.sum() > 1
    ]
    assert value(found, "mean_dice")[0] == pytest.approx(np.mean(own), abs=1e-12)
    assert found.estimates["mean_dice"].cases.tolist() == [len(own)]


def test_self_pairs_scale_the_mean_distance(make_cases, blobs):
    found = measured(make_cases(blobs()))
    assert value(found, "self_distance")[0] == pytest.approx(0.75 * value(found, "mean_distance")[0], abs=1e-12)


def test_subjects_weigh_alike_and_cases_where_asked(make_cases, blobs):
    masks = blobs() > 0
    subjects = ["one"] * 9 + ["two"] * 3
    own = np.array([np.mean([distance(a, b) for a, b in combinations(case, 2)]) for case in masks])
    found = measured(make_cases(masks, subjects=subjects))
    assert value(found, "mean_distance")[0] == pytest.approx((own[:9].mean() + own[9:].mean()) / 2, abs=1e-12)
    assert value(found, "case_mean_distance")[0] == pytest.approx(own.mean(), abs=1e-12)
    published = measured(make_cases(masks, subjects=subjects), PUBLISHED)
    assert value(published, "mean_distance")[0] == pytest.approx(own.mean(), abs=1e-9)
    assert found.n_subjects == 2
    assert not found.own_subject


def test_two_empty_masks_follow_the_convention(make_cases):
    masks = np.zeros((2, 2, 4, 4))
    masks[0, :, :2] = 1
    strict, published = measured(make_cases(masks)), measured(make_cases(masks), PUBLISHED)
    assert value(strict, "mean_distance").tolist() == [0]
    assert value(published, "mean_distance")[0] == pytest.approx(0.5)
    assert value(strict, "marked_distance").tolist() == [0]
    assert strict.estimates["marked_distance"].cases.tolist() == [1]
    assert value(strict, "mean_slice_distance")[0] == pytest.approx(0.5)
    assert value(published, "distance")[0].diagonal().tolist() == [0, 0]
    assert value(strict, "mean_dice").tolist() == [1]


def test_volumes_are_wholes_and_slice_by_slice_as_proseg_prints_them(make_cases, blobs):
    masks = blobs(depth=3) > 0
    found = measured(make_cases(masks))
    present = np.ones((12, 4), bool)
    np.testing.assert_allclose(value(found, "distance")[0], pair_means(masks, present, distance), atol=1e-12)

    def by_slice(a, b):
        return np.mean([distance(x, y, both_empty=1.0) for x, y in zip(a, b, strict=True)])

    expected = pair_means(masks, present, by_slice)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(value(found, "slice_distance")[0], expected, atol=1e-7)
    assert value(found, "mean_slice_distance")[0] > value(found, "mean_distance")[0]


def test_pooled_distance_is_of_all_pixels_together(make_cases, blobs):
    masks = blobs() > 0
    pairs = [(case[i], case[j]) for case in masks for i, j in combinations(range(4), 2)]
    expected = 1 - sum((a & b).sum() for a, b in pairs) / sum((a | b).sum() for a, b in pairs)
    assert value(measured(make_cases(masks)), "pooled_distance")[0] == pytest.approx(expected, abs=1e-12)


def test_several_classes_stand_each_for_itself_with_their_mean_behind(make_cases, blobs):
    masks = blobs(classes=4)
    found = measured(make_cases(masks, classes=4))
    expected = []
    for label in (1, 2, 3):
        own = masks == label
        marked = own.any(axis=(1, 2, 3))
        expected.append(np.mean([np.mean([dice(a, b) for a, b in combinations(c, 2)]) for c in own[marked]]))
        assert found.estimates["mean_dice"].cases[label - 1] == marked.sum()
    np.testing.assert_allclose(value(found, "mean_dice"), [*expected, np.mean(expected)], atol=1e-12)


def test_area_ranks_share_ties_and_need_everybody(make_cases):
    masks = np.zeros((3, 3, 4, 4))
    masks[0, 0, 0], masks[0, 1, :2], masks[0, 2, :3] = 1, 1, 1  # 4 < 8 < 12
    masks[1, 0, 0], masks[1, 1, 0], masks[1, 2, :3] = 1, 1, 1  # 4 = 4 < 12
    masks[2, :, :2] = 1
    present = [[True] * 3, [True] * 3, [True, True, False]]
    found = measured(make_cases(masks, present=present))
    np.testing.assert_allclose(value(found, "ranks")[0], [[0.75, 0.25, 0], [0.25, 0.75, 0], [0, 0, 1]])
    assert found.estimates["ranks"].cases[0].max() == 2


def test_relative_areas_are_of_the_mean_of_those_who_looked(make_cases):
    masks = np.zeros((2, 3, 4, 4))
    masks[0, 0, 0], masks[0, 1, :2], masks[0, 2, :3] = 1, 1, 1
    masks[1, 0, 0], masks[1, 1, :3] = 1, 1
    found = measured(make_cases(masks, present=[[True] * 3, [True, True, False]]))
    np.testing.assert_allclose(value(found, "relative_area")[0], [(4 / 8 + 4 / 8) / 2, (1 + 12 / 8) / 2, 12 / 8])
    assert value(found, "area_spread")[0] == pytest.approx((np.std([4, 8, 12]) / 8 + np.std([4, 12]) / 8) / 2)


def test_rates_are_means_of_staples_over_cases(make_cases, blobs, present):
    masks = blobs()
    found = measured(make_cases(masks, present=present))
    estimates = [staple(m, p) for m, p in zip(masks, present, strict=True) if p.sum() > 1]
    for name in ("sensitivity", "specificity"):
        own = np.array([getattr(one, name) for one in estimates])
        np.testing.assert_allclose(value(found, name)[0], np.nanmean(own, axis=0), atol=1e-9)


def test_rates_of_several_classes_are_of_one_class_against_the_rest(make_cases):
    masks = np.zeros((1, 3, 6, 6))
    masks[:, :, :2], masks[:, :, 2:4] = 1, 2
    masks[0, 2, 2] = 0  # the third rater leaves a row of the second class out
    found = measured(make_cases(masks, classes=3))
    assert value(found, "sensitivity")[0] == pytest.approx([1, 1, 1], abs=1e-6)
    assert value(found, "sensitivity")[1] == pytest.approx([1, 1, 0.5], abs=1e-6)
    assert value(found, "specificity")[:2] == pytest.approx(np.ones((2, 3)), abs=1e-6)


def test_a_case_of_one_rater_says_nothing_of_agreement(make_cases, blobs):
    present = np.zeros((12, 4), bool)
    present[:, 0] = True
    found = measured(make_cases(blobs(), present=present))
    for name in ("mean_dice", "mean_distance", "self_distance", "sensitivity", "kappa", "area_spread", "ranks"):
        assert np.isnan(value(found, name)).all(), name
    assert found.cases_by_present == {1: 12}


def test_who_marked_nothing_is_counted_of_those_who_looked(make_cases):
    masks = np.zeros((3, 2, 4, 4))
    masks[0] = 1
    found = measured(make_cases(masks, present=[[True, True], [True, True], [True, False]]))
    assert found.nothing.tolist() == [[2, 1]]


def test_intervals_hold_the_value_and_are_the_same_again(make_cases, blobs):
    first, second = (measured(make_cases(blobs())).estimates["mean_dice"] for _ in range(2))
    assert first.low[0] < first.value[0] < first.high[0]
    assert (first.low, first.high) == (second.low, second.high)


def test_an_interval_of_subjects_is_that_of_their_means(make_cases, blobs):
    # Percentiles of the mean of 12 numbers drawn with replacement, drawn here by another generator.
    masks = blobs() > 0
    own = np.array([np.mean([dice(a, b) for a, b in combinations(case, 2)]) for case in masks])
    means = np.random.default_rng(9).choice(own, (20_000, 12)).mean(axis=1)
    found = measured(make_cases(masks)).estimates["mean_dice"]
    expected = np.quantile(means, [0.025, 0.975])
    assert [found.low[0], found.high[0]] == pytest.approx(expected, abs=0.1 * (expected[1] - expected[0]))


def test_one_subject_leaves_no_interval(make_cases, blobs):
    found = measured(make_cases(blobs(), subjects=["one"] * 12))
    assert np.isnan(found.estimates["mean_dice"].low).all()
    assert np.isfinite(found.estimates["mean_dice"].value).all()


def test_chosen_cases_are_those_alone(make_cases, blobs):
    masks = blobs()
    part = measured(make_cases(masks), indices=np.array([2, 5, 7]))
    assert part.n_cases == 3
    assert value(part, "mean_dice") == pytest.approx(value(measured(make_cases(masks[[2, 5, 7]])), "mean_dice"))


def test_ratings_are_correlated_with_three_measures_and_size(make_cases, blobs):
    masks = blobs() > 0
    rng = np.random.default_rng(5)
    ratings = rng.integers(1, 6, (12, 4)).astype(float)
    ratings[0, 2] = np.nan
    ratings[1, 1:] = np.nan  # one rating alone does not spread
    found = measured(make_cases(masks, attributes={"margin": ratings}))
    share = masks.mean(axis=1)
    variance = share * (1 - share)
    measures = [
        variance.mean(axis=(1, 2)),
        variance.sum(axis=(1, 2)) / masks.any(axis=1).sum(axis=(1, 2)),
        np.array([np.mean([distance(a, b) for a, b in combinations(case, 2)]) for case in masks]),
    ]
    kept = np.arange(12) != 1
    spread = np.array([np.nanstd(own) for own in ratings])
    area = masks.sum(axis=(2, 3)).mean(axis=1)
    expected = [
        [np.corrcoef(spread[kept], y[kept])[0, 1] for y in measures],
        [np.corrcoef(area, y)[0, 1] for y in measures],
    ]
    np.testing.assert_allclose(value(found, "correlation"), expected, atol=1e-9)
    assert found.estimates["correlation"].cases.tolist() == [[11] * 3, [12] * 3]


def test_a_rating_that_never_varies_correlates_with_nothing(make_cases, blobs):
    found = measured(make_cases(blobs(), attributes={"flat": np.full((12, 4), 3.0)}))
    assert np.isnan(value(found, "correlation")[0]).all()


def test_duplicates_of_columns_and_images_are_found(make_cases, blobs):
    masks = blobs()
    masks[:8, 2] = masks[:8, 0]
    images = np.random.default_rng(0).integers(0, 256, (12, 1, 16, 16)).astype(np.uint8)
    images[7] = images[4]
    found = measured(make_cases(masks, images=images))
    assert found.equal[0, 2] == 8
    assert found.copies == [("case-7", "case-4")]
    assert "raters 'a' and 'c' have the same mask in 8 of the 12 cases" in found.warnings[0]


def test_slots_of_anonymous_raters_are_no_duplicates(make_cases, blobs):
    masks = blobs()
    masks[:, 2] = masks[:, 0]
    found = measured(make_cases(masks, raters=Raters.EXCHANGEABLE))
    assert found.warnings == []
    assert found.equal.sum() >= 12


def test_a_mask_that_is_none_is_named(make_cases, blobs):
    masks = blobs()
    masks[4, 1] = 7
    with pytest.raises(DataError, match=r"case 'case-4' of 'made' has a label outside its classes"):
        measured(make_cases(masks))


def test_batches_change_nothing(make_cases, blobs, monkeypatch):
    whole = measured(make_cases(blobs()))
    monkeypatch.setattr("mrbench.agreement.survey.BATCH_CASES", 5)
    parts = measured(make_cases(blobs()))
    for name, found in whole.estimates.items():
        np.testing.assert_array_equal(found.value, parts.estimates[name].value, name)


@pytest.mark.parametrize("raters", [1, 4])
def test_a_single_rater_is_no_fault(make_cases, blobs, raters, tmp_path):
    from io import StringIO

    from rich.console import Console

    from mrbench.agreement.document import as_document
    from mrbench.agreement.pictures import write_pictures
    from mrbench.cli.agreement_tables import print_agreement

    present = np.zeros((12, raters), bool)
    present[:, 0] = True
    found = survey(make_cases(blobs()[:, :raters], present=present), discover(), STRICT, samples=2, metrics=("ged",))
    text = StringIO()
    print_agreement(found, Console(file=text, width=80))
    assert "Two raters" in text.getvalue()
    assert as_document(found)["classes"][0]["pairs"]["dice"] == {"value": None, "low": None, "high": None, "cases": 0}
    assert write_pictures(found, tmp_path)[0].is_file()
