"""Orders and directions of axes: every one of the 48 leads back, and what holds other voxels is told from it."""

from itertools import permutations, product

import nibabel
import numpy as np
import pytest

from mrbench.data.geometry import Geometry, Reordering, difference, onto, stored_geometry, to_ras

VALUES = np.random.default_rng(0).random((4, 5, 6))  # (D, H, W)
ORDERS = [Reordering(axes, flips) for axes in permutations(range(3)) for flips in product((False, True), repeat=3)]


def grid(angle=0.3, shape=(6, 5, 4), spacing=(0.8, 0.9, 3.0)):
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine[:3, :3] = affine[:3, :3] @ np.diag(spacing)
    affine[:3, 3] = (-10, 5, 30)
    return Geometry(affine, shape)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_every_order_of_axes_leads_back(order):
    stored, values = grid().reordered(order), order.apply(VALUES)
    assert stored.array_shape == values.shape
    back = onto(grid(), stored)
    assert np.array_equal(back.apply(values), VALUES)
    assert np.array_equal(to_ras(stored).apply(values), VALUES)
    assert np.allclose(stored.reordered(to_ras(stored)).affine, grid().affine)
    assert np.allclose(sorted(stored.spacing), (0.8, 0.9, 3.0))


@pytest.mark.parametrize("order", ORDERS[::5], ids=str)
def test_directions_are_those_that_nibabel_reads(order):
    stored = grid(angle=0.7).reordered(order)
    assert stored.codes == "".join(nibabel.aff2axcodes(stored.affine))


def test_leading_axes_stay():
    order = Reordering((2, 0, 1), (True, False, False))
    assert np.array_equal(order.apply(np.stack([VALUES, VALUES + 1]))[1], order.apply(VALUES) + 1)


@pytest.mark.parametrize(
    ("other", "word"),
    [
        (grid(shape=(6, 5, 3)), "size"),
        (grid(shape=(5, 6, 4)), "spacing"),
        (grid(spacing=(0.8, 0.9, 3.1)), "spacing"),
        (grid(spacing=(0.9, 0.8, 3.0)), "spacing"),
        (grid(angle=0.33), "place"),
        (grid(angle=-0.3), "place"),
    ],
)
def test_grids_that_hold_other_voxels_are_told_apart(other, word):
    assert onto(grid(), other) is None
    assert difference(grid(), other) == word


@pytest.mark.parametrize(("part", "same"), [(0.0, True), (0.04, True), (0.06, False), (0.5, False), (1.0, False)])
def test_corners_may_lie_a_twentieth_of_a_voxel_apart(part, same):
    affine = grid(angle=0).affine.copy()
    affine[2, 3] += 3.0 * part
    assert (onto(grid(angle=0), Geometry(affine, (6, 5, 4))) is not None) == same


@pytest.mark.parametrize(
    "affine",
    [
        None,
        "x",
        [[1]],
        np.zeros((4, 4)).tolist(),
        (np.eye(4) * np.nan).tolist(),
        {},
        np.ones((4, 4)).tolist(),
        np.eye(3).tolist(),
    ],
)
def test_metadata_that_state_no_grid_are_left_alone(affine):
    assert stored_geometry({"affine": affine}, (4, 5)) is None


def test_the_grid_of_a_slice_is_one_plane():
    assert stored_geometry({"affine": np.eye(4).tolist()}, (4, 5)).shape == (5, 4, 1)


@pytest.mark.parametrize("order", ORDERS)
def test_a_reordering_is_taken_back_by_its_inverse(order: Reordering):
    values = np.arange(24).reshape(2, 3, 4)
    assert np.array_equal(order.inverse.apply(order.apply(values)), values)
