"""A row of the table of mask values per test."""

import numpy as np
import pytest

from mrbench.data.mask_values import colour_labels, palette_labels, whole_labels
from mrbench.errors import DataError

LABELS = np.arange(12).reshape(3, 4)


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", ">u2", "i4", "u8", "f2", "f4", ">f8"])
def test_numbers_of_any_type_are_labels(dtype):
    values = LABELS.astype(dtype)
    found = whole_labels(values, "f").labels
    assert found.dtype.kind == "u"
    assert np.array_equal(found, values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("off", [0, 9e-4, -9e-4])
def test_floats_near_whole_numbers_are_these_in_either_precision(dtype, off):
    assert np.array_equal(whole_labels((LABELS + off).astype(dtype), "f").labels, LABELS)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([0.5], "fractions"),
        ([1.01], "fractions"),
        ([np.nan], "not finite"),
        ([np.inf], "not finite"),
        ([-1], "impossible labels"),
        ([65536], "impossible labels"),
        ([1e30], "impossible labels"),
    ],
)
def test_what_is_no_label_is_refused(values, word):
    with pytest.raises(DataError, match=f"f is a mask with .*{word}"):
        whole_labels(np.array(values), "f")


def test_the_largest_label_holds():
    assert whole_labels(np.array([65535.0]), "f").labels.tolist() == [65535]


def test_indices_of_a_palette_are_labels_but_for_two_colours():
    indices = np.array([[0, 1, 2]], np.uint8)
    black, red, white = (0, 0, 0), (255, 0, 0), (255, 255, 255)
    for palette, expected in (
        ((black, red, white), [0, 1, 2]),
        ((white, black, black), [1, 0, 0]),
        ((black, white, black), [0, 1, 0]),
        ((red, red, black), [1, 1, 0]),
        ((white, white, white), [0, 1, 2]),
    ):
        assert palette_labels(indices, np.array(palette, np.uint8), "f").labels.tolist() == [expected]


def test_grey_in_colours_is_grey_and_many_colours_are_refused():
    assert colour_labels(np.stack([LABELS] * 3, axis=-1).astype(np.uint8), "f").labels.tolist() == LABELS.tolist()
    for n in (1, 3, 4, 7, 12):
        values = np.stack([LABELS % n, LABELS % n, np.full_like(LABELS, 200)], axis=-1).astype(np.uint8)
        with pytest.raises(DataError, match="f is a mask in colours") as caught:
            colour_labels(values, "f")
        assert caught.value.found.startswith(f"{n} colour")
