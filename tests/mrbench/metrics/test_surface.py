from functools import partial
from itertools import product
from math import sqrt

import numpy as np
import pytest

from mrbench.metrics import assd, hausdorff, hd95, hd95_matrix, nsd, nsd_matrix, surface_distances
from mrbench.metrics.boundary import element_sizes

DEFINITIONS = ("larger", "pooled", "weighted")


class SurfaceOracle:
    """Two masks in plain loops: every boundary point against every other, no distance map."""

    def __init__(self, first, second, spacing, definition):
        find = self.elements if definition == "weighted" else self.pixels
        self.points = [find(mask, spacing) for mask in (first, second)]
        self.definition = definition

    def pixels(self, mask, spacing):
        def background(place):
            inside = all(0 <= at < side for at, side in zip(place, mask.shape, strict=True))
            return not (inside and mask[place])

        def neighbours(place):
            for axis, shift in product(range(mask.ndim), (-1, 1)):
                yield tuple(at + shift * (axis == k) for k, at in enumerate(place))

        found = [p for p in np.ndindex(mask.shape) if mask[p] and any(background(n) for n in neighbours(p))]
        return [(self.scaled(place, spacing), 1.0) for place in found]

    def elements(self, mask, spacing):
        padded, found = np.pad(mask, 1), []
        for place in np.ndindex(*(side + 1 for side in mask.shape)):
            around = padded[tuple(slice(at, at + 2) for at in place)].reshape(-1)
            code = sum(int(marked) << bit for bit, marked in enumerate(around))
            if 0 < code < 2 ** len(around) - 1:
                found.append((self.scaled(place, spacing), float(element_sizes(tuple(spacing))[code])))
        return found

    def scaled(self, place, spacing):
        return [at * step for at, step in zip(place, spacing, strict=True)]

    def directed(self):
        for own, other in (self.points, self.points[::-1]):
            yield [
                (min(sqrt(sum((a - b) ** 2 for a, b in zip(p, q, strict=True))) for q, _ in other), w) for p, w in own
            ]

    def hd95(self):
        if self.definition == "pooled":
            return float(np.percentile([d for distances in self.directed() for d, _ in distances], 95))
        if self.definition == "larger":
            return max(float(np.percentile([d for d, _ in distances], 95)) for distances in self.directed())
        return max(self.weighted(distances) for distances in self.directed())

    def weighted(self, distances):
        whole, reached = sum(w for _, w in distances), 0.0
        for distance, weight in sorted(distances):
            reached += weight
            if reached / whole >= 0.95:
                return distance
        return max(distances)[0]

    def nsd(self, tolerance):
        both = [pair for distances in self.directed() for pair in distances]
        return sum(w for d, w in both if d <= tolerance) / sum(w for _, w in both)

    def mean(self):
        both = [pair for distances in self.directed() for pair in distances]
        return sum(d * w for d, w in both) / sum(w for _, w in both)


def random_masks(rng, shape):
    """Two blotches, maybe touching the edge of the image, never empty."""
    grid = np.indices(shape)
    masks = []
    for _ in range(2):
        centre, radius = [rng.uniform(0, side) for side in shape], rng.uniform(1, 4)
        distance = sum((axis - at) ** 2 for axis, at in zip(grid, centre, strict=True))
        mask = (distance < radius**2) ^ (rng.random(shape) < 0.04)
        mask[tuple(int(at) for at in centre)] = True
        masks.append(mask)
    return masks


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize(("shape", "spacing"), [((9, 11), (1, 1)), ((8, 12), (2.5, 0.7)), ((3, 6, 7), (3, 0.9, 1.1))])
def test_distances_are_those_of_every_point_to_every_other(shape, spacing, definition):
    rng = np.random.default_rng(len(shape))
    for _ in range(8):
        first, second = random_masks(rng, shape)
        oracle = SurfaceOracle(first, second, spacing, definition)
        assert hd95(first, second, spacing=spacing, definition=definition) == pytest.approx(oracle.hd95(), abs=1e-12)
        assert assd(first, second, spacing=spacing, definition=definition) == pytest.approx(oracle.mean(), abs=1e-12)
        for tolerance in (0, 1.37, 3.1):
            share = nsd(first, second, tolerance=tolerance, spacing=spacing, definition=definition)
            assert share == pytest.approx(oracle.nsd(tolerance), abs=1e-12)
        if definition == "larger":
            greatest = max(d for distances in oracle.directed() for d, _ in distances)
            assert hausdorff(first, second, spacing=spacing) == pytest.approx(greatest, abs=1e-12)


def pixel(row, column, shape=(8, 8)):
    mask = np.zeros(shape, bool)
    mask[row, column] = True
    return mask


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_two_pixels_are_as_far_apart_as_their_spacing_says(definition):
    first, second = pixel(1, 1), pixel(4, 5)
    far = {"weighted": np.hypot(2 * 2, 3 * 0.5)}.get(definition, np.hypot(3 * 2, 4 * 0.5))
    # Between single pixels, elements lie on corners: of the far corners, the nearest is one step less away each way.
    greatest = {"weighted": np.hypot(3 * 2, 4 * 0.5)}.get(definition, far)
    assert hd95(first, second, spacing=(2, 0.5), definition=definition) == pytest.approx(greatest)
    assert assd(first, second, spacing=(2, 0.5), definition=definition) <= greatest


def test_the_percentile_of_one_direction_may_hide_in_the_pool_of_both():
    long, short = np.zeros((2, 3, 60), bool)
    long[1], short[1, :4] = True, True
    # Of 60 boundary pixels 56 lie beside the short mask's, 1 to 56 pixels away; of its own 4 none does.
    assert hd95(long, short) == hd95(short, long) == pytest.approx(np.percentile([0] * 4 + [*range(1, 57)], 95))
    assert hd95(long, short, definition="pooled") == pytest.approx(np.percentile([0] * 8 + [*range(1, 57)], 95))


def test_a_tolerance_is_inclusive_whatever_the_rounding():
    first, second = pixel(0, 0), pixel(0, 3)
    assert 3 * 0.1 > 0.3
    for definition in ("larger", "pooled"):
        assert nsd(first, second, tolerance=0.3, spacing=(0.1, 0.1), definition=definition) == 1
    assert nsd(first, second, tolerance=0.3 - 1e-6, spacing=(0.1, 0.1)) == 0


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_empty_masks(squares, definition):
    predicted, raters = squares(0, 4), squares(0, 6)
    distances = surface_distances(raters, predicted, spacing=(2, 3), definition=definition)
    assert distances.one_empty.tolist() == [[False, True], [True, False]]
    diagonal = np.hypot(16 * 2, 16 * 3)
    for values in (distances.percentile(95), distances.percentile(100), distances.mean()):
        assert values[0, 0] == 0
        assert values[0, 1] == values[1, 0] == pytest.approx(diagonal)
        assert 0 < values[1, 1] < diagonal
    assert nsd_matrix(raters, predicted, tolerance=1, spacing=(2, 3), definition=definition)[0].tolist() == [1, 0]
    assert nsd_matrix(raters, predicted, tolerance=1, spacing=(2, 3), definition=definition)[1, 0] == 0


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_nothing_marked_by_anybody_is_full_agreement(squares, definition):
    assert hd95_matrix(squares(0), squares(0, 0), definition=definition).tolist() == [[0], [0]]
    assert nsd_matrix(squares(0), squares(0, 0), tolerance=0, definition=definition).tolist() == [[1], [1]]


def test_nothing_is_as_far_as_an_empty_mask():
    corners = pixel(0, 0), pixel(7, 7)
    assert hausdorff(*corners) < hausdorff(corners[0], np.zeros((8, 8), bool))


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_equal_masks_are_at_distance_0_and_agree_fully(squares, definition):
    (mask,) = squares(5)
    assert hd95(mask, mask, definition=definition) == assd(mask, mask, definition=definition) == 0
    assert nsd(mask, mask, tolerance=0, definition=definition) == 1


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_distances_are_symmetric_scale_with_the_spacing_and_do_not_see_the_margin(definition):
    rng = np.random.default_rng(4)
    for _ in range(10):
        first, second = random_masks(rng, (10, 12))
        value = hd95(first, second, spacing=(1, 2), definition=definition)
        assert hd95(second, first, spacing=(1, 2), definition=definition) == pytest.approx(value, abs=1e-12)
        assert hd95(first, second, spacing=(3, 6), definition=definition) == pytest.approx(3 * value, abs=1e-12)
        wide = [np.pad(mask, ((5, 0), (2, 7))) for mask in (first, second)]
        assert hd95(*wide, spacing=(1, 2), definition=definition) == pytest.approx(value, abs=1e-12)
        turned = [mask.T for mask in (first, second)]
        assert hd95(*turned, spacing=(2, 1), definition=definition) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_matrix_holds_what_each_pair_gives(definition):
    rng = np.random.default_rng(5)
    masks = np.stack([mask for _ in range(3) for mask in random_masks(rng, (9, 9))])
    samples, raters = masks[:4], masks[4:]
    how = {"spacing": (1, 2), "definition": definition}
    for matrix, pair in (
        (partial(hd95_matrix, **how), partial(hd95, **how)),
        (partial(nsd_matrix, tolerance=1.2, **how), partial(nsd, tolerance=1.2, **how)),
    ):
        expected = np.array([[pair(rater, sample) for rater in raters] for sample in samples])
        assert matrix(raters, samples) == pytest.approx(expected, abs=1e-12)


def test_a_matrix_takes_one_distance_map_per_mask(squares, monkeypatch):
    from scipy import ndimage

    made, plain = [], ndimage.distance_transform_edt
    monkeypatch.setattr(ndimage, "distance_transform_edt", lambda *a, **k: made.append(a[0].shape) or plain(*a, **k))
    hd95_matrix(squares(4, 6), squares(3, 5, 7, 0))
    assert made == [(7, 7)] * 5, "in the box that holds all masks; an empty mask needs none"


def test_without_a_spacing_distances_are_in_pixels(squares):
    (first,), (second,) = squares(4), squares(7)
    assert hd95(first, second) == hd95(first, second, spacing=(1, 1))


def test_what_is_refused(squares):
    (mask,) = squares(4)
    with pytest.raises(ValueError, match="samples must be boolean masks"):
        hd95(mask, mask.astype(np.uint8))
    with pytest.raises(ValueError, match=r"grid \(16, 16\), samples on \(16, 15\)"):
        hd95(mask, mask[:, 1:])
    with pytest.raises(ValueError, match=r"spacing must be 2 positive numbers, one per axis; got \(1.0, 2.0, 3.0\)"):
        hd95(mask, mask, spacing=(1, 2, 3))
    with pytest.raises(ValueError, match=r"spacing must be 2 positive numbers, one per axis; got \(2.0,\)"):
        hd95(mask, mask, spacing=2)
    with pytest.raises(ValueError, match=r"samples must be boolean masks, e\.g\. labels == 1; got list"):
        hd95(mask, mask.tolist())
    for bad in ((1, 0), (1, -1), (1, np.nan), (1, np.inf)):
        with pytest.raises(ValueError, match="2 positive numbers"):
            hd95(mask, mask, spacing=bad)
    with pytest.raises(ValueError, match="definition must be one of larger, pooled, weighted; got 'monai'"):
        hd95(mask, mask, definition="monai")
    with pytest.raises(ValueError, match="tolerance must be a distance of at least 0; got -1"):
        nsd(mask, mask, tolerance=-1)
    with pytest.raises(ValueError, match=r"grid \(H, W\) or \(D, H, W\); got \(16,\)"):
        hd95(mask[0], mask[0])
