"""HD95 of a pair and of 50 samples against 4 raters: one map per mask in a box against maps of whole images per pair.

Run: pytest tests/benchmarks/test_surface.py --benchmark-enable
"""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt, generate_binary_structure

from mrbench.metrics import hd95, hd95_matrix, nsd_matrix

SAMPLES, RATERS, SIDE = 50, 4, 128
GRIDS = {"128 x 128": (SIDE, SIDE), "32 x 128 x 128": (32, SIDE, SIDE)}


def balls(count, shape):
    """Discs (balls) ``(count, *shape)`` of jittered place and size, as those of nodules."""
    rng = np.random.default_rng(0)
    masks = []
    for _ in range(count):
        centre = [rng.normal(side / 2, 3) for side in shape]
        distance = sum((axis - at) ** 2 for axis, at in zip(np.indices(shape), centre, strict=True))
        masks.append(distance < rng.uniform(6, 14) ** 2)
    return np.stack(masks)


def directed_distances(first, second):
    """As MedPy: both boundaries by erosion, one distance map, all on the whole image."""
    footprint = generate_binary_structure(first.ndim, 1)
    boundaries = [mask ^ binary_erosion(mask, structure=footprint, iterations=1) for mask in (first, second)]
    return distance_transform_edt(~boundaries[1])[boundaries[0]]


def hd95_of_whole_images(first, second):
    pooled = np.hstack([directed_distances(first, second), directed_distances(second, first)])
    return np.percentile(pooled, 95)


def hd95_in_a_box(first, second):
    return hd95(first, second, definition="pooled")


def matrix_by_loops(raters, samples):
    return np.array([[hd95_of_whole_images(a, b) for b in raters] for a in samples])


def matrix_by_maps(raters, samples):
    return hd95_matrix(raters, samples, definition="pooled")


@pytest.fixture(scope="module")
def case():
    masks = balls(SAMPLES + RATERS, (SIDE, SIDE))
    return masks[SAMPLES:], masks[:SAMPLES]


@pytest.mark.parametrize("measure", [hd95_in_a_box, hd95_of_whole_images])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.benchmark(group="surface, a pair")
def test_a_pair(benchmark, grid, measure):
    first, second = balls(2, GRIDS[grid])
    assert benchmark(measure, first, second) == pytest.approx(hd95_of_whole_images(first, second), abs=1e-12)


@pytest.mark.parametrize("measure", [matrix_by_maps, matrix_by_loops])
@pytest.mark.benchmark(group="surface, 50 x 4")
def test_a_matrix(benchmark, case, measure):
    value = benchmark.pedantic(measure, case, rounds=5, warmup_rounds=1)
    assert value[:3] == pytest.approx(matrix_by_loops(case[0], case[1][:3]), abs=1e-12)


@pytest.mark.parametrize("definition", ["larger", "weighted"])
@pytest.mark.benchmark(group="surface, 50 x 4")
def test_a_matrix_by_other_definitions(benchmark, case, definition):
    values = benchmark.pedantic(hd95_matrix, case, {"definition": definition}, rounds=5, warmup_rounds=1)
    within = nsd_matrix(*case, tolerance=values.max(), definition=definition)
    assert within.min() >= 0.95, "95 % of each boundary lie within the distance"
