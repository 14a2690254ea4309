import numpy as np
import pytest

from mrbench.consensus.patterns import find_patterns

CLASSES_AND_RATERS = [(2, 1), (2, 2), (2, 8), (2, 12), (2, 13), (2, 40), (3, 4), (3, 11), (7, 3), (200, 5)]


def drawn(classes: int, raters: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(raters).integers(0, classes, (raters, *shape), np.uint8)


@pytest.mark.parametrize(("classes", "raters"), CLASSES_AND_RATERS)
@pytest.mark.parametrize("shape", [(50,), (9, 7), (3, 5, 4)])
def test_every_pixel_finds_its_raters_decisions(classes: int, raters: int, shape: tuple[int, ...]):
    masks = drawn(classes, raters, shape)
    patterns = find_patterns(masks, classes)
    for mask, decisions in zip(masks, patterns.decisions, strict=True):
        np.testing.assert_array_equal(patterns.spread(decisions), mask)


@pytest.mark.parametrize(("classes", "raters"), CLASSES_AND_RATERS)
def test_patterns_are_distinct_occur_and_are_counted(classes: int, raters: int):
    masks = np.minimum(drawn(classes, raters, (30, 30)), drawn(classes, raters + 1, (30, 30))[:-1])
    patterns = find_patterns(masks, classes)
    distinct, counts = np.unique(masks.reshape(raters, -1), axis=1, return_counts=True)
    np.testing.assert_array_equal(patterns.decisions, distinct)
    np.testing.assert_array_equal(patterns.counts, counts)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64])
def test_masks_may_be_of_any_integers(dtype: type):
    masks = drawn(2, 14, (9, 7))
    np.testing.assert_array_equal(find_patterns(masks.astype(dtype)).code, find_patterns(masks).code)


def test_a_pattern_that_all_pixels_share_is_followed_by_more_raters():
    masks = np.ones((14, 6), np.uint8)
    masks[13, :2] = 0
    patterns = find_patterns(masks)
    np.testing.assert_array_equal(patterns.counts, [2, 4])
    np.testing.assert_array_equal(patterns.decisions[-2:], [[1, 1], [0, 1]])
