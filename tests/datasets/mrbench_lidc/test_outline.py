import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrbench_lidc.annotations import Outline
from mrbench_lidc.outline import fill, interior


def drawn(text):
    """Pixels marked ``#``."""
    return np.array([[letter == "#" for letter in line] for line in text.split()])


def outline(points, included=True):
    return Outline(np.array(points, np.int64), 0.0, "", included)


def test_the_line_lies_outside_of_what_it_encloses():
    square = [(1, 1), (5, 1), (5, 4), (1, 4)]
    expected = drawn("....... ....... ..###.. ..###.. ....... .......")
    np.testing.assert_array_equal(interior(np.array(square), (6, 7)), expected)


def test_a_chain_of_neighbouring_pixels_encloses_what_its_corners_do():
    corners = [(1, 1), (5, 1), (5, 4), (1, 4)]
    chain = [(x, 1) for x in range(1, 6)] + [(5, y) for y in range(2, 5)]
    chain += [(x, 4) for x in range(4, 0, -1)] + [(1, 3), (1, 2)]
    np.testing.assert_array_equal(interior(np.array(chain), (6, 7)), interior(np.array(corners), (6, 7)))


def test_a_diamond_of_diagonal_steps():
    diamond = [(3, 0), (6, 3), (3, 6), (0, 3)]
    expected = drawn("....... ...#... ..###.. .#####. ..###.. ...#... .......")
    np.testing.assert_array_equal(interior(np.array(diamond), (7, 7)), expected)


def test_a_bay_is_outside():
    bay = [(0, 0), (6, 0), (6, 5), (4, 5), (4, 2), (2, 2), (2, 5), (0, 5)]
    expected = drawn("....... .#####. .#...#. .#...#. .#...#. .......")
    np.testing.assert_array_equal(interior(np.array(bay), (6, 7)), expected)


def test_a_spur_that_goes_out_and_back_encloses_nothing():
    spur = [(1, 1), (4, 1), (4, 4), (1, 4)]
    with_spur = [*spur[:2], (6, 1), (4, 1), *spur[2:]]
    np.testing.assert_array_equal(interior(np.array(with_spur), (6, 8)), interior(np.array(spur), (6, 8)))


@pytest.mark.parametrize("points", [[(2, 2)], [(2, 2), (3, 2)], [(2, 2), (4, 2), (6, 2)]])
def test_a_line_without_an_inside_is_empty(points):
    assert not interior(np.array(points), (8, 8)).any()


def test_parts_beyond_the_image_are_cut():
    wide = [(-0 + 3, 3), (9, 3), (9, 9), (3, 9)]
    expected = drawn("...... ...... ...... ...... ....## ....##")
    np.testing.assert_array_equal(interior(np.array(wide), (6, 6)), expected)


def test_an_outline_beyond_the_image_is_empty():
    assert not interior(np.array([(30, 30), (40, 30), (40, 40)]), (8, 8)).any()


def test_outlines_that_exclude_are_subtracted():
    around, hole = outline([(0, 0), (7, 0), (7, 6), (0, 6)]), outline([(2, 2), (5, 2), (5, 4), (2, 4)], included=False)
    expected = drawn("........ .######. .######. .##..##. .######. .######. ........")
    np.testing.assert_array_equal(fill([hole, around], (7, 8)), expected)


def test_two_parts_on_one_slice_are_one_mask():
    left, right = outline([(0, 0), (2, 0), (2, 2), (0, 2)]), outline([(3, 0), (5, 0), (5, 2), (3, 2)])
    np.testing.assert_array_equal(fill([left, right], (3, 6)), drawn("...... .#..#. ......"))


points = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=10)


@given(points)
def test_pixels_are_inside_where_fractions_say_so(corners):
    """Against a ray with fractions, pixel by pixel."""
    from fractions import Fraction

    found = interior(np.array(corners), (13, 13))
    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
    for y in range(13):
        for x in range(13):
            on = any(
                (bx - ax) * (y - ay) == (by - ay) * (x - ax)
                and min(ax, bx) <= x <= max(ax, bx)
                and min(ay, by) <= y <= max(ay, by)
                for (ax, ay), (bx, by) in edges
            )
            crossed = sum(
                (ay > y) != (by > y) and x < ax + Fraction(y - ay, by - ay) * (bx - ax) for (ax, ay), (bx, by) in edges
            )
            assert found[y, x] == (crossed % 2 == 1 and not on)


@pytest.mark.parametrize("points", [[], [(-1, 3)], [(40_000, 3)], [(1, 1)] * 20_001])
def test_outlines_that_are_none_are_refused(points):
    with pytest.raises(ValueError, match="an outline"):
        outline(np.array(points).reshape(-1, 2))
