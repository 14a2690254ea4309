from itertools import product

import numpy as np
import pytest

from mrbench import DrawKind
from mrbench.errors import UsageError
from mrbench_consensus.config import StapleOptions
from mrbench_consensus.staple import Staple, StapleFusion, staple

NOISE = np.random.default_rng(0)


def everybody(*masks: np.ndarray, max_iterations: int = 10_000) -> Staple:
    return staple(np.stack(masks), np.ones(len(masks), bool), max_iterations)


def square(side: int, row: int = 2, column: int = 2, size: int = 32) -> np.ndarray:
    mask = np.zeros((size, size), np.uint8)
    mask[row : row + side, column : column + side] = 1
    return mask


def noisy_discs(raters: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Discs (balls) of the raters' own radii with pixels flipped, from careful to careless raters."""
    random = np.random.default_rng(seed)
    radius = np.sqrt(sum((axis - (axis.size - 1) / 2) ** 2 for axis in np.ogrid[tuple(slice(0, s) for s in shape)]))
    discs = [radius < random.uniform(0.2, 0.4) * min(shape) for _ in range(raters)]
    return np.stack([disc ^ (random.random(shape) < random.uniform(0.001, 0.2)) for disc in discs])


def full_pixel_em(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Warfield 2004 written out over all pixels, with plain products."""
    decided = masks.reshape(len(masks), -1).astype(np.float64)
    weights = decided.mean(axis=0)
    prior = weights.mean()
    last_p = last_q = np.full(len(masks), np.inf)
    iteration = 0
    while True:
        p = (decided * weights).sum(axis=1) / weights.sum()
        q = ((1 - decided) * (1 - weights)).sum(axis=1) / (1 - weights).sum()
        a = prior * np.where(decided == 1, p[:, None], 1 - p[:, None]).prod(axis=0)
        b = (1 - prior) * np.where(decided == 1, 1 - q[:, None], q[:, None]).prod(axis=0)
        weights = a / (a + b)
        if ((p - last_p) ** 2 <= 1e-14).all() and ((q - last_q) ** 2 <= 1e-14).all():
            return weights.reshape(masks.shape[1:]), p, q, iteration
        last_p, last_q = p, q
        iteration += 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("raters", [2, 3, 4, 5, 8, 14])
@pytest.mark.parametrize("shape", [(33, 47), (7, 16, 18)])
def test_patterns_give_what_all_pixels_give(raters: int, shape: tuple[int, ...], seed: int):
    masks = noisy_discs(raters, shape, seed)
    estimate = everybody(*masks)
    probability, sensitivity, specificity, iterations = full_pixel_em(masks)
    np.testing.assert_allclose(estimate.probability, probability, rtol=0, atol=1e-9)
    np.testing.assert_allclose(estimate.sensitivity, sensitivity, rtol=0, atol=1e-9)
    np.testing.assert_allclose(estimate.specificity, specificity, rtol=0, atol=1e-9)
    assert estimate.iterations == iterations


def test_patterns_give_what_all_pixels_give_on_real_slices(lidc_masks):
    for masks in lidc_masks[::50]:
        probability, _, _, iterations = full_pixel_em(masks)
        estimate = everybody(*masks)
        np.testing.assert_allclose(estimate.probability, probability, rtol=0, atol=1e-9)
        assert estimate.iterations == iterations


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
        np.testing.assert_allclose(estimate.probability, sitk.GetArrayFromImage(image), rtol=0, atol=1e-9)
        np.testing.assert_allclose(estimate.sensitivity, itk.GetSensitivity(), rtol=0, atol=1e-9)
        np.testing.assert_allclose(estimate.specificity, itk.GetSpecificity(), rtol=0, atol=1e-9)
        assert estimate.iterations == itk.GetElapsedIterations()


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("raters", [1, 2, 4])
def test_all_empty_and_all_full_stay_so(value: int, raters: int):
    estimate = everybody(*np.full((raters, 8, 8), value, np.uint8))
    np.testing.assert_array_equal(estimate.probability, value)
    np.testing.assert_array_equal(estimate.sensitivity, 1)
    np.testing.assert_array_equal(estimate.specificity, 1)


@pytest.mark.parametrize("raters", [1, 2, 4])
def test_raters_who_agree_are_right(raters: int):
    estimate = everybody(*[square(9)] * raters)
    np.testing.assert_array_equal(estimate.probability, square(9))
    np.testing.assert_array_equal(estimate.sensitivity, 1)
    np.testing.assert_array_equal(estimate.specificity, 1)


def test_one_empty_rater_of_four_is_overruled():
    drawn = [square(12), square(12, 3, 2), square(11, 2, 3)]
    estimate = everybody(*drawn, square(0))
    np.testing.assert_array_equal(estimate.probability > 0.5, everybody(*drawn).probability > 0.5)
    assert estimate.sensitivity[3] == 0
    assert estimate.specificity[3] == 1


def test_two_empty_raters_of_four_leave_the_intersection_of_the_others():
    first, second = square(12), square(12, 5, 5)
    estimate = everybody(first, second, square(0), square(0))
    np.testing.assert_array_equal(estimate.probability > 0.5, first & second)


def test_three_empty_raters_of_four_stop_at_once_at_a_quarter():
    estimate = everybody(square(12), square(0), square(0), square(0))
    np.testing.assert_allclose(estimate.probability, square(12) / 4, rtol=1e-12)
    assert estimate.iterations == 1


def test_an_inverted_rater_changes_nothing():
    drawn = [square(12), square(12, 3, 2), square(11, 2, 3)]
    estimate = everybody(*drawn, 1 - square(12))
    assert estimate.sensitivity[3] < 0.1
    assert estimate.specificity[3] < 0.1
    np.testing.assert_array_equal(estimate.probability > 0.5, everybody(*drawn).probability > 0.5)


def test_of_two_disjoint_marks_the_larger_wins():
    small, large = square(8, 1, 1), square(10, 18, 18)
    estimate = everybody(small, large)
    np.testing.assert_array_equal(estimate.probability > 0.5, large)
    np.testing.assert_allclose(estimate.sensitivity, [0, 1], atol=1e-5)


def test_of_two_disjoint_marks_of_one_size_none_wins():
    assert everybody(square(8, 1, 1), square(8, 18, 18)).probability.max() < 0.5


def test_no_masks_of_three_raters_on_three_pixels_give_nan():
    for marks in product((0, 1), repeat=9):
        estimate = everybody(*np.reshape(marks, (3, 3)), max_iterations=50)
        for values in (estimate.probability, estimate.sensitivity, estimate.specificity):
            assert ((values >= 0) & (values <= 1)).all(), marks


def test_the_order_of_the_raters_does_not_matter():
    masks = noisy_discs(5, (20, 20), 0)
    order = np.array([3, 0, 4, 2, 1])
    straight, permuted = everybody(*masks), everybody(*masks[order])
    np.testing.assert_allclose(permuted.probability, straight.probability, atol=1e-12)
    np.testing.assert_allclose(permuted.sensitivity, straight.sensitivity[order], atol=1e-12)
    np.testing.assert_allclose(permuted.specificity, straight.specificity[order], atol=1e-12)
    assert permuted.iterations == straight.iterations


def test_absent_raters_are_not_read():
    masks = noisy_discs(5, (20, 20), 1).astype(np.uint8)
    present = np.array([True, True, False, True, False])
    expected = everybody(*masks[present])
    masks[~present] = 77
    estimate = staple(masks, present)
    np.testing.assert_array_equal(estimate.probability, expected.probability)
    np.testing.assert_array_equal(estimate.sensitivity[present], expected.sensitivity)
    np.testing.assert_array_equal(estimate.specificity[present], expected.specificity)
    assert np.isnan(estimate.sensitivity[~present]).all()
    assert np.isnan(estimate.specificity[~present]).all()


def test_nobody_present_is_an_error():
    with pytest.raises(ValueError, match="at least one rater who is present"):
        staple(np.zeros((3, 4, 4), np.uint8), np.zeros(3, bool))


def test_hundreds_of_raters_do_not_underflow():
    masks = np.random.default_rng(0).random((1500, 8, 8)) < np.where(square(4, size=8), 0.8, 0.3)
    np.testing.assert_array_equal(everybody(*masks).probability, square(4, size=8))


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
    assert staple(masks, np.ones(2, bool), max_iterations=3).iterations == 3
    assert staple(masks, np.ones(2, bool)).iterations > 100


def test_the_fusion_gives_the_probability_as_one_consensus(describe):
    masks, present = noisy_discs(4, (20, 20), 2).astype(np.uint8), np.array([True, False, True, True])
    (trial,) = StapleFusion(StapleOptions(), describe()).fuse(masks, present, 5, NOISE)
    np.testing.assert_array_equal(trial.truth, present)
    (draw,) = trial.draws
    assert draw.kind is DrawKind.CONSENSUS
    np.testing.assert_array_equal(draw.probability[1], staple(masks, present).probability)
    np.testing.assert_allclose(draw.probability.sum(axis=0), 1)


def test_the_fusion_obeys_the_cap(describe):
    masks = np.stack([square(8, 1, 1), square(10, 18, 18)])
    capped = StapleFusion(StapleOptions(max_iterations=2), describe(2))
    (trial,) = capped.fuse(masks, np.ones(2, bool), 1, NOISE)
    expected = staple(masks, np.ones(2, bool), max_iterations=2).probability
    np.testing.assert_array_equal(trial.draws[0].probability[1], expected)


def test_nobody_present_gives_no_trial(describe):
    fusion = StapleFusion(StapleOptions(), describe())
    assert list(fusion.fuse(np.zeros((4, 2, 2), np.uint8), np.zeros(4, bool), 1, NOISE)) == []


def test_a_cap_of_zero_is_refused():
    with pytest.raises(UsageError, match="max_iterations"):
        StapleOptions.parse({"max_iterations": 0}, owner="staple")
