"""STAPLE on decision patterns, case by case and in a batch, against SimpleITK and the same iteration over all pixels.

Run: pytest tests/benchmarks/test_staple.py --benchmark-enable
SimpleITK's own clock holds its filter alone; its images are made beforehand. Left out where it is absent.
"""

from collections.abc import Callable
from itertools import chain

import full_pixel_em
import numpy as np
import pytest

from mrbench.consensus import staple, staple_batch

IMAGES = 200
"""In a batch of slices."""


def outlines(count: int, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Masks ``(count, 4, *shape)`` uint8 of objects of radius 8 to 26 whose outlines differ by about 15 %."""
    random = np.random.default_rng(seed)
    grid = np.ogrid[tuple(slice(0, side) for side in shape)]

    def disc(radius: float) -> np.ndarray:
        across = [axis - side / 2 - random.normal(0, 1.5) for axis, side in zip(grid, shape, strict=True)]
        angle = np.arctan2(across[-2], across[-1])
        bumps = 1 + 0.08 * np.cos(3 * angle + random.uniform(0, 6)) + 0.07 * np.cos(5 * angle + random.uniform(0, 6))
        return np.sqrt(sum(axis**2 for axis in across)) < radius * bumps * random.uniform(0.9, 1.1)

    radii = random.uniform(8, 26, count)
    return np.stack([[disc(radius) for _ in range(4)] for radius in radii]).astype(np.uint8)


def one_by_one(cases: np.ndarray) -> list[np.ndarray]:
    return [staple(masks).probability_of(1) for masks in cases]


def in_a_batch(cases: np.ndarray) -> list[np.ndarray]:
    return [estimate.probability_of(1) for estimate in staple_batch(cases)]


def over_all_pixels(cases: np.ndarray) -> list[np.ndarray]:
    return [full_pixel_em.binary(masks)[0] for masks in cases]


def simpleitk(cases: np.ndarray) -> Callable[[np.ndarray], list[np.ndarray]]:
    sitk = pytest.importorskip("SimpleITK", exc_type=ImportError)
    images = [[sitk.GetImageFromArray(mask) for mask in masks] for masks in cases]
    return lambda _: [sitk.GetArrayFromImage(sitk.STAPLEImageFilter().Execute(masks)) for masks in images]


WAYS = {
    "patterns, batch": lambda cases: in_a_batch,
    "patterns, one by one": lambda cases: one_by_one,
    "SimpleITK": simpleitk,
    "all pixels": lambda cases: over_all_pixels,
}


@pytest.fixture(scope="module", params=[(IMAGES, (128, 128)), (1, (64, 128, 128))], ids=["200 slices", "volume"])
def cases(request: pytest.FixtureRequest) -> np.ndarray:
    return outlines(*request.param)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
def test_fusing_four_raters(benchmark, way: str, cases: np.ndarray):
    benchmark.group = f"staple, {len(cases)} x {' x '.join(map(str, cases.shape[2:]))}"
    fuse = WAYS[way](cases)
    found = benchmark.pedantic(fuse, (cases,), rounds=5, warmup_rounds=1)
    for one, other in zip(found, in_a_batch(cases), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("way", ["batch", "one by one"])
@pytest.mark.benchmark(group="staple, labels of 200 slices of 3 classes")
def test_labelling_three_classes(benchmark, way: str):
    inner, outer = outlines(IMAGES, (128, 128)), outlines(IMAGES, (128, 128), seed=1)
    cases = np.where(inner, 2, outer).astype(np.uint8)
    ways = {
        "batch": lambda: [estimate.labels for estimate in staple_batch(cases, classes=3)],
        "one by one": lambda: [staple(masks, classes=3).labels for masks in cases],
    }
    labels = benchmark.pedantic(ways[way], rounds=5, warmup_rounds=1)
    assert set(chain(*map(np.unique, labels))) == {0, 1, 2}
