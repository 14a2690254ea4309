"""Derived seeds."""

import numpy as np

from mrbench.seeds import derive_noise, derive_seed


def test_every_axis_and_their_order_matter():
    seeds = {
        derive_seed(0, "a", 1),
        derive_seed(0, "a", 2),
        derive_seed(0, 1, "a"),
        derive_seed(0, "a1"),
        derive_seed(0, "a", "1"),
    }
    assert len(seeds) == 5


def test_seeds_are_the_same_everywhere():
    assert derive_seed(0, "phantom", 0, "training") == 1040091397510910136  # by sha256sum


def test_noise_depends_on_its_axes_alone():
    first, second = (derive_noise(1, "case", 3).standard_normal(5) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, derive_noise(1, "case", 4).standard_normal(5))
