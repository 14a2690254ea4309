"""Surface distances against the libraries whose definitions they follow; none of them is needed by mrbench.

In an environment that has them beside mrbench: pip install --no-deps monai medpy surface-distance absl-py simpleitk,
then pytest tests/mrbench/metrics/test_surface_libraries.py -rP prints what was found.

Where the libraries differ from each other, and why:
- percentiles: MONAI and surface-distance take the larger of two directions, MedPy pools them, so that the longer
  boundary outvotes the other; surface-distance weighs points by their length (area) and does not interpolate;
- boundary: MONAI and MedPy take pixels, surface-distance (and MONAI for NSD with use_subvoxels) corners between pixels;
- empty masks: MONAI gives NaN, MedPy raises, surface-distance gives infinity (HD95) and NaN (NSD);
- precision: MONAI computes in float32.
"""

from importlib.util import find_spec

import numpy as np
import pytest

from mrbench.metrics import hausdorff, hd95, nsd

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs, of deprecated names

SPACINGS = {2: [(1.0, 1.0), (0.7, 1.9), (2.0, 0.5)], 3: [(1.0, 1.0, 1.0), (3.0, 0.7, 0.9), (0.5, 2.0, 1.3)]}


def needs(*modules):
    missing = [module for module in modules if find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def blotch(rng, shape):
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.normal(size=shape), rng.uniform(1, 3))
    return field > np.quantile(field, rng.uniform(0.5, 0.95))


@pytest.fixture(scope="module")
def shapes():
    """200 pairs of random shapes that may touch the image's edge, half of them 3-D, with spacings and tolerances."""
    rng, found = np.random.default_rng(0), []
    for number in range(200):
        shape = rng.integers(12, 40, 2) if number % 2 else (rng.integers(3, 10), *rng.integers(10, 24, 2))
        first, second = blotch(rng, shape), blotch(rng, shape)
        if number % 5 == 0:
            second = np.roll(first, rng.integers(-2, 3, len(shape)), tuple(range(len(shape))))
        found.append((first, second, SPACINGS[len(shape)][number % 3], rng.uniform(0.3, 4)))
    return found


def report(library, names, ours, theirs, tolerance):
    """Prints by how much ours and the library's differ, then holds ours to the tolerance."""
    for name, value in zip(names, np.abs(np.array(ours) - theirs).max(axis=0), strict=True):
        print(f"{library} {name}: greatest difference over {len(ours)} pairs {value:.1e}")
    assert np.array(ours) == pytest.approx(np.array(theirs), abs=tolerance)


@needs("monai")
@pytest.mark.parametrize("subvoxels", [False, True])
def test_larger_is_monai(shapes, subvoxels):
    import torch
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice

    def one_hot(mask):
        return torch.from_numpy(np.stack([~mask, mask])[None].astype(np.uint8))

    theirs, ours = [], []
    for first, second, spacing, tolerance in shapes:
        pair, definition = (one_hot(first), one_hot(second)), "weighted" if subvoxels else "larger"
        distance = compute_hausdorff_distance(*pair, percentile=95, spacing=spacing)
        dice = compute_surface_dice(*pair, [tolerance], spacing=spacing, use_subvoxels=subvoxels)
        theirs.append((distance.item(), dice.item()))
        share = nsd(first, second, tolerance=tolerance, spacing=spacing, definition=definition)
        ours.append((hd95(first, second, spacing=spacing), share))
    report("MONAI", ("HD95", "NSD"), ours, theirs, 2e-5)


@needs("medpy")
def test_pooled_is_medpy(shapes):
    from medpy.metric.binary import hd as medpy_hd
    from medpy.metric.binary import hd95 as medpy_hd95

    theirs = [(medpy_hd95(a, b, spacing), medpy_hd(a, b, spacing)) for a, b, spacing, _ in shapes]
    ours = [
        (hd95(a, b, spacing=spacing, definition="pooled"), hausdorff(a, b, spacing=spacing))
        for a, b, spacing, _ in shapes
    ]
    report("MedPy", ("HD95", "HD"), ours, theirs, 1e-12)


@needs("surface_distance")
def test_weighted_is_surface_distance(shapes):
    import surface_distance

    theirs, ours = [], []
    for first, second, spacing, tolerance in shapes:
        found = surface_distance.compute_surface_distances(first, second, spacing)
        dice = surface_distance.compute_surface_dice_at_tolerance(found, tolerance)
        theirs.append((surface_distance.compute_robust_hausdorff(found, 95), dice))
        ours.append([f(first, second, *a, spacing, "weighted") for f, a in ((hd95, ()), (nsd, (tolerance,)))])
    report("surface-distance", ("HD95", "NSD"), ours, theirs, 1e-12)


def test_the_definitions_differ_on_the_same_shapes(shapes):
    values = np.array(
        [[hd95(a, b, spacing=s, definition=d) for d in ("larger", "pooled", "weighted")] for a, b, s, _ in shapes]
    )
    assert (values[:, 1] <= values[:, 0] + 1e-12).mean() > 0.9, "pooling dilutes the worse direction"
    for name, column in (("pooled", 1), ("weighted", 2)):
        difference = np.abs(values[:, column] - values[:, 0]) / values[:, 0].clip(1e-9)
        median = np.median(difference)
        print(f"HD95 {name} against larger: median difference {median:.1%}, up to {difference.max():.0%}")
        assert median > 0.01
