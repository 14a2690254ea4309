import gzip
from io import BytesIO

import nibabel
import numpy as np
import pytest

from mrbench.data.nifti import open_nifti
from mrbench.errors import DataError

VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)  # (x, y, z)


def content(values=VALUES, zooms=(0.5, 0.25, 2.0), unit="mm"):
    image = nibabel.Nifti1Image(values, np.diag([*zooms, 1.0]))
    image.header.set_xyzt_units(unit)
    return image.to_bytes()


def changed(place, value):
    damaged = bytearray(content())
    damaged[place : place + len(value)] = value
    return bytes(damaged)


def test_the_header_is_known_before_a_value_is_read():
    packed = BytesIO(gzip.compress(content(), mtime=0))
    with open_nifti(packed, "f") as file:
        assert (file.shape, file.kind, file.spacing, file.nbytes) == ((4, 3, 2), "i", (2.0, 0.25, 0.5), 48)
        np.testing.assert_array_equal(file.values(), VALUES.T)


@pytest.mark.parametrize(
    ("zooms", "unit", "expected"),
    [
        ((500, 250, 2000), "micron", (2.0, 0.25, 0.5)),
        ((1, 1, 1), "unknown", None),
        ((1, 1, 2), "unknown", (2.0, 1.0, 1.0)),
        ((1, 1, 1), "mm", (1.0, 1.0, 1.0)),
    ],
)
def test_spacing_is_in_mm_or_unknown(zooms, unit, expected):
    with open_nifti(BytesIO(content(zooms=zooms, unit=unit)), "f") as file:
        assert file.spacing == expected


@pytest.mark.parametrize(
    "sform", [[np.nan] * 12, [0.0] * 12, [np.inf] * 12, [3e38] * 12, [1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0]]
)
def test_an_affine_that_places_nothing_states_nothing(sform):
    with open_nifti(BytesIO(changed(280, np.array(sform, "<f4").tobytes())), "f") as file:
        assert file.geometry is None
        np.testing.assert_array_equal(file.values(), VALUES.T)


def test_scaled_integers_are_floats():
    scaled = bytearray(content())
    scaled[112:120] = np.array([0.5, 1.0], "<f4").tobytes()  # slope and intercept
    with open_nifti(BytesIO(bytes(scaled)), "f") as file:
        assert file.kind == "f"
        np.testing.assert_array_equal(file.values(), VALUES.T / 2 + 1)


def test_absurd_axes_are_seen_and_cost_nothing():
    with open_nifti(BytesIO(changed(42, np.array([32000] * 3, "<i2").tobytes())), "f") as file:
        assert file.nbytes == 2 * 32000**3


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (b"", "f is not a NIfTI file"),
        (gzip.compress(content(), mtime=0)[:-30], "f is not a whole NIfTI file"),
        (content()[:-1], "f is cut short"),
        (changed(42, np.array([-2], "<i2").tobytes()), "f has a damaged header"),
        (changed(40, np.array([0], "<i2").tobytes()), "f has a damaged header"),
        (changed(70, np.array([32], "<i2").tobytes()), "f has a wrong type"),
    ],
)
def test_damaged_files_are_refused(damaged, words):
    with pytest.raises(DataError, match=words), open_nifti(BytesIO(damaged), "f") as file:
        file.values()
