import numpy as np

from mrbench_lidc.annotations import Annotation, Outline
from mrbench_lidc.grouping import group


def annotation(x, z=0.0):
    """A small square whose left side is at column x; its right side is at x + 2."""
    points = np.array([(x, 0), (x + 2, 0), (x + 2, 2), (x, 2)])
    return Annotation((Outline(points, z, "", True),), (0,) * 9)


def test_annotations_within_the_thickness_are_of_one_nodule():
    # Gaps of 1 and 3 pixels of 1 mm.
    assert group([annotation(0), annotation(3), annotation(8)], 1.0, 2.0) == [[0, 1], [2]]


def test_the_distance_is_in_millimetres_between_pixels_and_along_z():
    pair = [annotation(0), annotation(5)]
    assert group(pair, 0.5, 2.0) == [[0, 1]]
    assert group(pair, 1.0, 2.0) == [[0], [1]]
    assert group([annotation(0), annotation(0, z=2.6)], 1.0, 2.5) == [[0], [1]]
    assert group([annotation(0), annotation(0, z=2.5)], 1.0, 2.5) == [[0, 1]]


def test_a_chain_links_its_ends():
    assert group([annotation(0), annotation(8), annotation(4)], 1.0, 2.0) == [[0, 1, 2]]


def test_nodules_come_in_the_order_of_their_first_annotation():
    assert group([annotation(50), annotation(0), annotation(50), annotation(0)], 1.0, 2.0) == [[0, 2], [1, 3]]


def test_more_annotations_than_readers_shrink_the_distance():
    near, far = [annotation(0)] * 3, [annotation(4)] * 3
    assert group(near + far, 1.0, 2.5) == [[0, 1, 2], [3, 4, 5]]


def test_annotations_that_touch_stay_together():
    assert group([annotation(0)] * 5, 1.0, 2.5) == [[0, 1, 2, 3, 4]]


def test_no_annotation_is_no_nodule():
    assert group([], 1.0, 2.5) == []
