from itertools import product

import numpy as np
import pytest

from mrbench.metrics.boundary import boundary_elements, boundary_pixels, element_sizes


def test_the_boundary_of_a_square_is_its_outermost_ring():
    square = np.ones((1, 4, 5), bool)
    (points,) = boundary_pixels(square).points
    assert len(points) == 20 - 2 * 3
    assert np.array_equal(np.setdiff1d(np.arange(20), points), [6, 7, 8, 11, 12, 13])


def test_a_hole_has_a_boundary_and_diagonal_neighbours_do_not_close_it():
    mask = np.ones((1, 5, 5), bool)
    mask[0, 2, 2] = False
    (points,) = boundary_pixels(mask).points
    assert set(np.arange(25)[[6, 8, 16, 18]]).isdisjoint(points)
    assert {7, 11, 13, 17} <= set(points.tolist())


def test_an_empty_mask_has_no_boundary():
    empty = np.zeros((1, 3, 3), bool)
    assert [len(boundary_pixels(empty).points[0]), len(boundary_elements(empty, (1, 1)).points[0])] == [0, 0]


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (3.0, 0.5)])
def test_the_contour_of_a_rectangle_is_its_outline_with_cut_corners(spacing):
    (sizes,) = boundary_elements(np.ones((1, 4, 6), bool), spacing).sizes
    straight = 2 * 3 * spacing[0] + 2 * 5 * spacing[1]
    assert sizes.sum() == pytest.approx(straight + 4 * np.hypot(*spacing) / 2)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.5, 0.7)])
def test_the_surface_of_a_box_is_its_outside_with_cut_edges_and_corners(spacing):
    sides = (3, 4, 5)
    (sizes,) = boundary_elements(np.ones((1, *sides), bool), spacing).sizes
    z, y, x = spacing
    lengths = [(side - 1) * step for side, step in zip(sides, spacing, strict=True)]
    faces = 2 * (lengths[0] * lengths[1] + lengths[0] * lengths[2] + lengths[1] * lengths[2])
    edges = 4 * sum(n * np.hypot(*cut) / 2 for n, cut in zip(lengths, [(y, x), (z, x), (z, y)], strict=True))
    corner = np.linalg.norm([y * x, z * x, z * y]) / 8
    assert sizes.sum() == pytest.approx(faces + edges + 8 * corner)


def test_a_slanted_surface_has_the_area_of_its_plane():
    z, y, _ = np.indices((12, 12, 6))
    codes = boundary_elements((z + y < 12)[None], (1, 1, 1))
    places = np.array(np.unravel_index(codes.points[0], codes.lattice))
    inside = (places[0] > 2) & (places[0] < 9) & (places[1] > 0) & (places[2] > 0) & (places[2] < 6)
    # Six steps down the slope, of length sqrt(2) each, five voxels wide.
    assert codes.sizes[0][inside].sum() == pytest.approx(6 * 2**0.5 * 5)


@pytest.mark.parametrize("axes", [2, 3])
def test_every_neighbourhood_has_elements_and_its_complement_the_same(axes):
    sizes = element_sizes((1.3, 0.6, 2.0)[:axes])
    assert sizes[0] == sizes[-1] == 0
    assert (sizes[1:-1] > 0).all()
    assert sizes == pytest.approx(sizes[::-1])


def test_contours_are_those_of_marching_squares():
    vertical, horizontal = 2.0, 0.5
    diagonal = np.hypot(vertical, horizontal) / 2
    for corners in product((0, 1), repeat=4):
        square = np.reshape(corners, (2, 2))
        code = sum(bit << place for place, bit in enumerate(corners))
        columns, rows = np.ptp(square, axis=1).any(), np.ptp(square, axis=0).any()
        if square.sum() in {1, 3}:
            expected = diagonal
        elif columns and rows:
            expected = 2 * diagonal
        else:
            expected = vertical * columns + horizontal * rows
        assert element_sizes((vertical, horizontal))[code] == pytest.approx(expected)
