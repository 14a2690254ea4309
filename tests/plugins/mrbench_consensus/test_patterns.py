import numpy as np
import pytest

from mrbench_consensus.patterns import find_patterns


@pytest.mark.parametrize("raters", [1, 2, 8, 12, 13, 40])
@pytest.mark.parametrize("shape", [(50,), (9, 7), (3, 5, 4)])
def test_every_pixel_finds_its_raters_decisions(raters: int, shape: tuple[int, ...]):
    masks = np.random.default_rng(raters).random((raters, *shape)) < 0.4
    patterns = find_patterns(masks)
    for mask, decisions in zip(masks, patterns.decisions.T, strict=True):
        np.testing.assert_array_equal(patterns.spread(decisions), mask)


@pytest.mark.parametrize("raters", [3, 14])
def test_patterns_are_distinct_occur_and_are_counted(raters: int):
    masks = (np.random.default_rng(0).random((raters, 30, 30)) < 0.1).astype(np.uint8)
    patterns = find_patterns(masks)
    distinct, counts = np.unique(masks.reshape(raters, -1), axis=1, return_counts=True)
    np.testing.assert_array_equal(patterns.decisions.T, distinct)
    np.testing.assert_array_equal(patterns.counts, counts)
