from itertools import product
from typing import Any

import full_pixel_em
import numpy as np
import pytest

from mrbench.consensus import Rules, Staple, staple, staple_batch


def everybody(*masks: np.ndarray, classes: int = 2, **rules: Any) -> Staple:
    return staple(np.stack(masks), classes=classes, rules=Rules(**rules))


def square(side: int, row: int = 2, column: int = 2, size: int = 32) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[row : row + side, column : column + side] = 1
    return mask


def mislabelled(classes: int, raters: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Bands of labels; each rater mistakes some pixels for anything, from careful to careless."""
    random = np.random.default_rng(seed)
    truth = np.sort(random.integers(0, classes, shape), axis=-1)
    wrong = random.random((raters, *shape)) < random.uniform(0.02, 0.3, (raters, *(1,) * len(shape)))
    return np.where(wrong, random.integers(0, classes, (raters, *shape)), truth).astype(np.uint8)


def assert_same(estimate: Staple, expected: Staple, atol: float = 0.0) -> None:
    np.testing.assert_allclose(estimate.probability, expected.probability, rtol=0, atol=atol)
    np.testing.assert_allclose(estimate.confusion, expected.confusion, rtol=0, atol=atol)
    assert estimate.iterations == expected.iterations


def noisy_discs(raters: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Discs (balls) of the raters' own radii with pixels flipped, from careful to careless raters."""
    random = np.random.default_rng(seed)
    radius = np.sqrt(sum((axis - (axis.size - 1) / 2) ** 2 for axis in np.ogrid[tuple(slice(0, s) for s in shape)]))
    discs = [radius < random.uniform(0.2, 0.4) * min(shape) for _ in range(raters)]
    return np.stack([disc ^ (random.random(shape) < random.uniform(0.001, 0.2)) for disc in discs])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("raters", [2, 3, 4, 5, 8, 14])
@pytest.mark.parametrize("shape", [(33, 47), (7, 16, 18)])
def test_patterns_give_what_all_pixels_give(raters: int, shape: tuple[int, ...], seed: int):
    masks = noisy_discs(raters, shape, seed)
    estimate = everybody(*masks)
    probability, sensitivity, specificity, iterations = full_pixel_em.binary(masks)
    np.testing.assert_allclose(estimate.probability_of(1), probability, rtol=0, atol=1e-9)
    np.testing.assert_allclose(estimate.sensitivity, sensitivity, rtol=0, atol=1e-9)
    np.testing.assert_allclose(estimate.specificity, specificity, rtol=0, atol=1e-9)
    assert estimate.iterations == iterations


@pytest.mark.parametrize("right", [None, 0.99999], ids=["share", "identity"])
@pytest.mark.parametrize("prior", [None, "given"])
@pytest.mark.parametrize("raters", [2, 3, 4, 7])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_patterns_of_many_classes_give_what_all_pixels_give(
    classes: int, raters: int, prior: str | None, right: float | None
):
    for seed, shape in enumerate([(33, 47), (7, 16, 18)]):
        masks = mislabelled(classes, raters, shape, seed)
        given = None if prior is None else tuple(np.arange(1, classes + 1) / sum(range(1, classes + 1)))
        estimate = everybody(*masks, classes=classes, prior=given, start="identity" if right else "share")
        probability, theta, iterations = full_pixel_em.multi_category(masks, classes, right=right, prior=given)
        np.testing.assert_allclose(estimate.probability, probability, rtol=0, atol=1e-9)
        np.testing.assert_allclose(estimate.confusion, theta, rtol=0, atol=1e-9)
        assert estimate.iterations == iterations


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_labels_of_three_raters_are_those_of_simpleitks_multi_label_filter():
    # With more raters its start, a vote, leads elsewhere; ties in the vote are miscounted, so the third breaks them.
    sitk = pytest.importorskip("SimpleITK", exc_type=ImportError)
    for seed in range(5):
        masks = mislabelled(3, 3, (40, 40), seed)
        masks[2] = np.where(masks[0] != masks[1], masks[seed % 2], masks[2])
        image = sitk.MultiLabelSTAPLEImageFilter().Execute([sitk.GetImageFromArray(mask) for mask in masks])
        agreed = everybody(*masks, classes=3).labels == sitk.GetArrayFromImage(image)
        assert agreed.mean() > 0.999


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("raters", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(40, 40), (6, 20, 20)])
def test_simpleitk_agrees_where_it_is_right(raters: int, shape: tuple[int, ...]):
    sitk = pytest.importorskip("SimpleITK", exc_type=ImportError)
    for seed in range(5):
        masks = noisy_discs(raters, shape, seed)
        itk = sitk.STAPLEImageFilter()
        image = itk.Execute([sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in masks])
        estimate = everybody(*masks)
        np.testing.assert_allclose(estimate.probability_of(1), sitk.GetArrayFromImage(image), rtol=0, atol=1e-9)
        np.testing.assert_allclose(estimate.sensitivity, itk.GetSensitivity(), rtol=0, atol=1e-9)
        np.testing.assert_allclose(estimate.specificity, itk.GetSpecificity(), rtol=0, atol=1e-9)
        assert estimate.iterations == itk.GetElapsedIterations()


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("raters", [1, 2, 4])
def test_all_empty_and_all_full_stay_so(value: int, raters: int):
    estimate = everybody(*np.full((raters, 8, 8), value, np.uint8))
    np.testing.assert_array_equal(estimate.probability_of(1), value)
    np.testing.assert_array_equal(estimate.sensitivity, 1)
    np.testing.assert_array_equal(estimate.specificity, 1)


@pytest.mark.parametrize("raters", [1, 2, 4])
def test_raters_who_agree_are_right(raters: int):
    estimate = everybody(*[square(9)] * raters)
    np.testing.assert_array_equal(estimate.probability_of(1), square(9))
    np.testing.assert_array_equal(estimate.sensitivity, 1)
    np.testing.assert_array_equal(estimate.specificity, 1)


def test_one_empty_rater_of_four_is_overruled():
    drawn = [square(12), square(12, 3, 2), square(11, 2, 3)]
    estimate = everybody(*drawn, square(0))
    np.testing.assert_array_equal(estimate.probability_of(1) > 0.5, everybody(*drawn).probability_of(1) > 0.5)
    assert estimate.sensitivity[3] == 0
    assert estimate.specificity[3] == 1


def test_two_empty_raters_of_four_leave_the_intersection_of_the_others():
    first, second = square(12), square(12, 5, 5)
    estimate = everybody(first, second, square(0), square(0))
    np.testing.assert_array_equal(estimate.probability_of(1) > 0.5, first & second)


def test_three_empty_raters_of_four_stop_at_once_at_a_quarter():
    estimate = everybody(square(12), square(0), square(0), square(0))
    np.testing.assert_allclose(estimate.probability_of(1), square(12) / 4, rtol=1e-12)
    assert estimate.iterations == 1


def test_an_inverted_rater_changes_nothing():
    drawn = [square(12), square(12, 3, 2), square(11, 2, 3)]
    estimate = everybody(*drawn, 1 - square(12))
    assert estimate.sensitivity[3] < 0.1
    assert estimate.specificity[3] < 0.1
    np.testing.assert_array_equal(estimate.probability_of(1) > 0.5, everybody(*drawn).probability_of(1) > 0.5)


def test_of_two_disjoint_marks_the_larger_wins():
    small, large = square(8, 1, 1), square(10, 18, 18)
    estimate = everybody(small, large)
    np.testing.assert_array_equal(estimate.probability_of(1) > 0.5, large)
    np.testing.assert_allclose(estimate.sensitivity, [0, 1], atol=1e-5)


def test_of_two_disjoint_marks_of_one_size_none_wins():
    assert everybody(square(8, 1, 1), square(8, 18, 18)).probability_of(1).max() < 0.5


def test_no_masks_of_three_raters_on_three_pixels_give_nan():
    for marks in product((0, 1), repeat=9):
        estimate = everybody(*np.reshape(marks, (3, 3)), max_iterations=50)
        for values in (estimate.probability_of(1), estimate.sensitivity, estimate.specificity):
            assert ((values >= 0) & (values <= 1)).all(), marks


def test_the_order_of_the_raters_does_not_matter():
    masks = noisy_discs(5, (20, 20), 0)
    order = np.array([3, 0, 4, 2, 1])
    straight, permuted = everybody(*masks), everybody(*masks[order])
    np.testing.assert_allclose(permuted.probability_of(1), straight.probability_of(1), atol=1e-12)
    np.testing.assert_allclose(permuted.sensitivity, straight.sensitivity[order], atol=1e-12)
    np.testing.assert_allclose(permuted.specificity, straight.specificity[order], atol=1e-12)
    assert permuted.iterations == straight.iterations


def test_absent_raters_are_not_read():
    masks = noisy_discs(5, (20, 20), 1).astype(np.uint8)
    present = np.array([True, True, False, True, False])
    expected = everybody(*masks[present])
    masks[~present] = 77
    estimate = staple(masks, present)
    np.testing.assert_array_equal(estimate.probability_of(1), expected.probability_of(1))
    np.testing.assert_array_equal(estimate.sensitivity[present], expected.sensitivity)
    np.testing.assert_array_equal(estimate.specificity[present], expected.specificity)
    assert np.isnan(estimate.sensitivity[~present]).all()
    assert np.isnan(estimate.specificity[~present]).all()


def test_nobody_present_is_an_error():
    with pytest.raises(ValueError, match="at least one rater who is present"):
        staple(np.zeros((3, 4, 4), np.uint8), np.zeros(3, bool))


@pytest.mark.parametrize(
    ("masks", "found"),
    [
        (np.full((2, 4), 255, np.uint8), "integers from 0 to 1; got uint8, 255 to 255"),
        (np.full((2, 4), -1, np.int8), "got int8, -1 to -1"),
        (np.full((2, 4), 0.5), "got float64"),
        (np.zeros((2, 0), np.uint8), "got uint8, no pixel"),
    ],
)
def test_masks_that_are_no_labels_are_an_error(masks: np.ndarray, found: str):
    with pytest.raises(ValueError, match=found):
        staple(masks)


@pytest.mark.parametrize("classes", [1, 257])
def test_too_few_or_many_classes_are_an_error(classes: int):
    with pytest.raises(ValueError, match=f"2 to 256 classes, background included; got {classes}"):
        staple(np.zeros((2, 4), np.uint8), classes=classes)


@pytest.mark.parametrize(
    "rules",
    [{"start": "vote"}, {"prior": (0.5, 0.4)}, {"prior": (1.0, 0.0)}, {"prior": ()}, {"tolerance": -1e-9},
     {"tolerance": float("nan")}, {"max_iterations": 0}],
    ids=str,
)  # fmt: skip
def test_rules_out_of_bounds_are_an_error(rules: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(rules))):
        Rules(**rules)


def test_a_prior_of_other_classes_is_an_error():
    with pytest.raises(ValueError, match="prior is of 3 classes, background first"):
        everybody(square(3), square(4), classes=3, prior=(0.9, 0.1))


def test_hundreds_of_raters_do_not_underflow():
    masks = np.random.default_rng(0).random((1500, 8, 8)) < np.where(square(4, size=8), 0.8, 0.3)
    np.testing.assert_array_equal(everybody(*masks).probability_of(1), square(4, size=8))


def test_one_voxel_counts_beyond_two_to_the_24th():
    marked = 2**24 + 1
    masks = np.zeros((3, marked + 7), bool)
    masks[:, :marked] = True
    masks[2, 0] = False
    estimate = everybody(*masks)
    assert estimate.sensitivity.tolist() == [1, 1, (marked - 1) / marked]
    assert estimate.specificity.tolist() == [1, 1, 1]


def test_the_iterations_can_be_capped():
    masks = np.stack([square(8, 1, 1), square(10, 18, 18)])
    assert everybody(*masks, max_iterations=3).iterations == 3
    assert everybody(*masks).iterations > 100


@pytest.mark.parametrize("start", ["share", "identity"])
@pytest.mark.parametrize("prior", [None, (0.3, 0.7)])
@pytest.mark.parametrize("disagreement_only", [False, True])
def test_no_rules_make_nan_of_odd_masks(start: str, prior: tuple[float, ...] | None, disagreement_only: bool):
    empty, full = square(0), square(32, 0, 0)
    for masks in ([empty] * 3, [full] * 3, [square(9)] * 3, [empty, full], [square(9), empty, empty, empty], [full]):
        estimate = everybody(*masks, start=start, prior=prior, disagreement_only=disagreement_only)
        for values in (estimate.probability, estimate.confusion):
            assert ((values >= 0) & (values <= 1)).all()
        np.testing.assert_allclose(estimate.probability.sum(axis=0), 1, rtol=1e-12)
        if all((mask == masks[0]).all() for mask in masks):
            np.testing.assert_array_equal(estimate.labels, masks[0])
            np.testing.assert_array_equal(estimate.probability_of(1), masks[0])


def test_a_label_that_no_rater_gave_has_probability_zero_whatever_the_prior():
    masks = mislabelled(3, 4, (20, 20), 0)
    for rules in ({}, {"start": "identity"}, {"prior": (0.2, 0.2, 0.2, 0.4)}):
        assert (everybody(*masks, classes=4, **rules).probability_of(3) == 0).all()


def test_classes_that_no_rater_gave_change_nothing():
    masks = mislabelled(3, 4, (20, 20), 0)
    three, five = (everybody(*masks, classes=classes) for classes in (3, 5))
    np.testing.assert_allclose(five.probability[:3], three.probability, rtol=0, atol=1e-12)
    np.testing.assert_allclose(five.confusion[:, :3, :3], three.confusion, rtol=0, atol=1e-12)


def test_classes_in_another_order_change_nothing():
    masks = mislabelled(4, 4, (20, 20), 0)
    order = np.array([2, 0, 3, 1])
    straight, permuted = everybody(*masks, classes=4), everybody(*order[masks], classes=4)
    np.testing.assert_allclose(permuted.probability[order], straight.probability, rtol=0, atol=1e-9)
    np.testing.assert_allclose(permuted.confusion[:, order][:, :, order], straight.confusion, rtol=0, atol=1e-9)


def test_a_rater_who_swaps_two_labels_is_read_the_other_way_round():
    truth = np.repeat([0, 1, 2, 2], 100)
    masks = [truth.copy() for _ in range(4)]
    for rater, mask in enumerate(masks):
        mask[rater * 7 :: 31] = 0  # they are not perfect, each elsewhere
    masks.append(np.array([0, 2, 1])[truth])
    estimate = everybody(*masks, classes=3)
    np.testing.assert_array_equal(estimate.labels, truth)
    np.testing.assert_allclose(estimate.confusion[4], [[1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=0.01)


def test_joint_labels_are_not_one_class_against_the_rest():
    # Each class alone is seen by two raters of five, and the background by one: together they leave no doubt.
    masks = np.concatenate([np.tile([[1], [1], [2], [2], [0]], 30), np.tile(np.arange(3).repeat(40), (5, 1))], axis=1)
    estimate = everybody(*masks, classes=3)
    apart = [everybody(*(masks == label)).probability_of(1)[0] for label in (1, 2)]
    assert abs(estimate.probability[:, 0].sum() - 1) < 1e-12
    assert abs(sum(apart) - estimate.probability[1:, 0].sum()) > 0.1


def test_the_confusion_matrix_of_two_classes_holds_sensitivity_and_specificity():
    estimate = everybody(*noisy_discs(3, (20, 20), 0))
    np.testing.assert_array_equal(estimate.confusion[:, 1, 1], estimate.sensitivity)
    np.testing.assert_array_equal(estimate.confusion[:, 0, 0], estimate.specificity)
    np.testing.assert_allclose(estimate.confusion.sum(axis=1), 1)


def test_more_classes_have_no_sensitivity():
    with pytest.raises(ValueError, match="3 classes have a confusion matrix"):
        _ = everybody(*mislabelled(3, 3, (9, 9), 0), classes=3).sensitivity


def test_labels_are_where_the_probability_is_above_one_half():
    estimate = everybody(*noisy_discs(4, (33, 47), 3))
    np.testing.assert_array_equal(estimate.labels, estimate.probability_of(1) > 0.5)
    assert estimate.labels.dtype == np.uint8


@pytest.mark.parametrize("side", range(1, 13))
def test_of_two_raters_one_of_whom_marks_nothing_none_is_likelier(side: int):
    for masks in ((square(side), square(0)), (square(0), square(side))):
        estimate = everybody(*masks)
        np.testing.assert_array_equal(estimate.probability_of(1), square(side) / 2)
        assert not estimate.labels.any()


def test_a_tie_goes_to_the_lowest_label():
    estimate = everybody(np.array([1, 2, 1, 2, 0]), np.array([2, 1, 1, 2, 0]), classes=3)
    np.testing.assert_array_equal(estimate.probability[1:, :2], 0.5)
    np.testing.assert_array_equal(estimate.labels, [1, 1, 1, 2, 0])


def test_where_raters_agree_nothing_counts_if_only_disagreement_does():
    small, large = noisy_discs(4, (24, 24), 5), np.zeros((4, 96, 96), bool)
    large[:, 10:34, 20:44] = small
    inside, frame = (everybody(*masks, disagreement_only=True) for masks in (small, large))
    np.testing.assert_allclose(frame.probability_of(1)[10:34, 20:44], inside.probability_of(1), rtol=0, atol=1e-12)
    np.testing.assert_allclose(frame.confusion, inside.confusion, rtol=0, atol=1e-12)
    assert not frame.probability_of(1)[:10].any()
    differing = np.ptp(small.astype(int), axis=0) == 1
    alone = everybody(*small[:, differing])
    np.testing.assert_allclose(inside.probability_of(1)[differing], alone.probability_of(1), rtol=0, atol=1e-12)


def test_the_start_decides_where_several_answers_are_possible():
    # Three raters who share little: each start ends at another of them.
    masks = [square(10, 6, 6, 24), square(11, 9, 9, 24), square(8, 4, 0, 24)]
    np.testing.assert_array_equal(everybody(*masks).labels, masks[1])
    np.testing.assert_array_equal(everybody(*masks, start="identity").labels, masks[0])


def test_a_looser_tolerance_stops_sooner():
    masks = noisy_discs(4, (33, 47), 3)
    assert everybody(*masks, tolerance=1e-2).iterations < everybody(*masks).iterations


def test_hundreds_of_raters_of_many_classes_do_not_underflow():
    truth = np.arange(64).reshape(8, 8) % 3
    random = np.random.default_rng(0)
    masks = np.where(random.random((1500, 8, 8)) < 0.6, truth, random.integers(0, 3, (1500, 8, 8)))
    for start in ("share", "identity"):
        np.testing.assert_array_equal(everybody(*masks, classes=3, start=start).labels, truth)


def test_a_batch_gives_what_each_case_gives_alone():
    cases = [noisy_discs(4, shape, seed) for seed in range(12) for shape in ((20, 20), (5, 9, 11))]
    cases += [np.zeros((4, 3, 3), np.uint8), np.ones((4, 7), bool), np.stack([square(8, 1, 1), *[square(0)] * 3])]
    for rules in (Rules(), Rules(start="identity"), Rules(disagreement_only=True), Rules(max_iterations=7)):
        for estimate, case in zip(staple_batch(cases, rules=rules), cases, strict=True):
            assert_same(estimate, staple(case, rules=rules), atol=1e-12)


def test_a_batch_knows_who_is_absent_from_which_case():
    masks = np.stack([mislabelled(3, 5, (20, 20), seed) for seed in range(8)])
    present = np.random.default_rng(0).random((8, 5)) < 0.6
    present[:, 0] = True
    expected = [staple(case[looked], classes=3) for case, looked in zip(masks, present, strict=True)]
    masks[~present] = 77
    for estimate, alone, looked in zip(staple_batch(masks, present, 3), expected, present, strict=True):
        np.testing.assert_allclose(estimate.probability, alone.probability, rtol=0, atol=1e-12)
        np.testing.assert_allclose(estimate.confusion[looked], alone.confusion, rtol=0, atol=1e-12)
        assert np.isnan(estimate.confusion[~looked]).all()
        assert estimate.iterations == alone.iterations


def test_a_batch_of_nothing_is_nothing():
    assert staple_batch([]) == []
