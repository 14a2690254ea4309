"""STAPLE on decision patterns against the same iteration over all pixels."""

import numpy as np
import pytest

from mrbench_consensus.staple import staple


def slices(shape: tuple[int, ...]) -> np.ndarray:
    """Four raters' discs (balls) of radii that differ by about 15 %, with one pixel of a hundred flipped."""
    random = np.random.default_rng(0)
    radius = np.sqrt(sum((axis - (axis.size - 1) / 2) ** 2 for axis in np.ogrid[tuple(slice(0, s) for s in shape)]))
    discs = [radius < share * min(shape) for share in (0.2, 0.22, 0.24, 0.26)]
    return np.stack([disc ^ (random.random(shape) < 0.01) for disc in discs])


def pattern_em(masks: np.ndarray) -> np.ndarray:
    return staple(masks, np.ones(len(masks), bool)).probability


def full_pixel_em(masks: np.ndarray) -> np.ndarray:
    decided = masks.reshape(len(masks), -1)
    weights = decided.mean(axis=0)
    prior = weights.mean()
    last_p = last_q = np.full(len(masks), np.inf)
    while True:
        p = decided @ weights / weights.sum()
        q = ~decided @ (1 - weights) / (1 - weights).sum()
        a = prior * np.where(decided, p[:, None], 1 - p[:, None]).prod(axis=0)
        b = (1 - prior) * np.where(decided, 1 - q[:, None], q[:, None]).prod(axis=0)
        weights = a / (a + b)
        if ((p - last_p) ** 2 <= 1e-14).all() and ((q - last_q) ** 2 <= 1e-14).all():
            return weights.reshape(masks.shape[1:])
        last_p, last_q = p, q


@pytest.mark.parametrize("em", [pattern_em, full_pixel_em])
@pytest.mark.parametrize("shape", [(128, 128), (16, 128, 128)], ids=["slice", "volume"])
@pytest.mark.benchmark(group="staple")
def test_fusing_four_raters(benchmark, em, shape: tuple[int, ...]):
    masks = slices(shape)
    probability = benchmark(em, masks)
    np.testing.assert_allclose(probability, pattern_em(masks), rtol=0, atol=1e-9)
