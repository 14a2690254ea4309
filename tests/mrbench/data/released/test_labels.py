from types import SimpleNamespace

import numpy as np
import pytest

from mrbench.data.released.labels import BINARY, coded, levels
from mrbench.errors import DataError

PNG, JPEG = SimpleNamespace(lossy=False), SimpleNamespace(lossy=True)


def of(labels, values, file=PNG):
    return labels(np.array(values, np.uint8), file, "mask.png").tolist()


def test_every_value_has_the_class_of_its_code():
    assert of(coded({0: 0, 1: 0, 6: 0, 3: 1, 5: 2}), [0, 1, 3, 5, 6]) == [0, 0, 1, 2, 0]


def test_a_binary_mask_is_written_in_ones_or_in_white():
    assert of(BINARY, [0, 1]) == of(BINARY, [0, 255]) == [0, 1]
    assert of(BINARY, [0, 0]) == [0, 0]


@pytest.mark.parametrize("values", [[0, 1, 255], [0, 2], [0, 254]])
def test_a_value_without_a_class_is_refused_and_so_are_two_tables_in_one_file(values):
    with pytest.raises(DataError, match=r"mask.png has values that stand for nothing") as caught:
        of(BINARY, values)
    assert caught.value.expected == "0, 1 or 0, 255"
    assert caught.value.found == ", ".join(map(str, values))


def test_codes_are_not_read_from_jpeg():
    with pytest.raises(DataError, match=r"mask.png is a mask in JPEG"):
        of(BINARY, [0, 255], JPEG)


def test_levels_are_the_nearest_greys():
    fused = levels({0: 0, 127: 1, 255: 2})
    assert of(fused, [0, 8, 119, 135, 247, 255]) == [0, 0, 1, 1, 2, 2]
    with pytest.raises(DataError, match="values that stand for nothing") as caught:
        of(fused, [0, 9])
    assert caught.value.expected == "0, 127, 255, each within 8"


def test_in_jpeg_a_grey_may_be_far_from_its_level():
    assert of(levels({0: 0, 127: 1, 255: 2}), [0, 63, 64, 190, 192], JPEG) == [0, 0, 1, 1, 2]


def test_sixteen_bits_are_no_grey_of_eight():
    with pytest.raises(DataError, match="values that stand for nothing"):
        levels({0: 0, 255: 1})(np.array([0, 65535], np.uint16), JPEG, "mask.png")
