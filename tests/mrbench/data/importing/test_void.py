"""``--void``: what one rater did not judge counts for nobody."""

import numpy as np
import pytest

from mrbench.data.container import open_container
from mrbench.data.importing.request import Request
from mrbench.data.importing.told import tell
from mrbench.data.importing.understand import understand
from mrbench.data.importing.write import write_import
from mrbench.errors import DataError, UsageError


def imported(folder, **options):
    out = folder.parent / "mine.h5"
    write_import(understand(Request(folder=folder, name="mine", **options)), out)
    return open_container(out)


@pytest.fixture
def judged(put, tmp_path):
    """Three cases of 6 x 8 pixels: ann leaves the first row out of all, bo the last column of the second."""
    for k in range(3):
        put(f"images/c{k}.png", np.arange(48, dtype=np.uint8).reshape(6, 8) + np.uint8(k))
        ann, bo = (np.tile(np.array([0, 1, 2, 0], np.uint8), 12).reshape(6, 8) for _ in range(2))
        ann[0], bo[2] = 255, 0
        if k == 1:
            bo[:, -1] = 255
        put(f"masks/ann/c{k}.png", ann)
        put(f"masks/bo/c{k}.png", bo)
    return tmp_path / "f"


def test_a_pixel_counts_where_every_rater_present_judged_it(judged):
    cases = imported(judged, void=255)
    expected = np.ones((6, 8), bool)
    expected[0] = False
    for k in (0, 2):
        np.testing.assert_array_equal(cases.valid(k), expected)
    expected[:, -1] = False
    np.testing.assert_array_equal(cases.valid(1), expected)
    ann, bo = cases.pixels.masks(1)
    plain = np.tile(np.array([0, 1, 2, 0]), 12).reshape(6, 8)
    np.testing.assert_array_equal(ann, plain * expected)
    assert not bo[:, -1].any()
    assert not bo[0].any(), "what bo marked where ann did not judge"
    assert cases.description.classes == ("background", "class-1", "class-2")


def test_a_rater_without_a_file_leaves_nothing_out(judged):
    (judged / "masks/ann/c2.png").unlink()
    cases = imported(judged, void=255)
    assert cases.valid(2) is None
    assert cases.valid(0) is not None


def test_the_share_is_told(judged):
    lines = dict(tell(understand(Request(folder=judged, name="mine", void=255))))
    assert lines["void"].startswith("255 is not judged: 20.14% of the pixels, in 3 of 3 cases")  # 8 + 13 + 8 of 144
    assert "void" not in dict(tell(understand(Request(folder=judged, name="mine", classes=("a", "b", "c")))))


def test_without_the_option_the_next_command_has_it(judged):
    with pytest.raises(DataError, match="hold 255 beside classes") as caught:
        understand(Request(folder=judged, name="mine"))
    assert f"mrbench data import {judged} --void 255" in caught.value.hint


def test_a_value_that_no_mask_holds_is_refused(judged):
    with pytest.raises(UsageError, match="--void 254 is in no mask") as caught:
        understand(Request(folder=judged, name="mine", void=254))
    assert "0, 1, 2, 255" in caught.value.found


def test_a_case_of_which_nothing_is_judged_is_named(judged, put):
    put("masks/bo/c1.png", np.full((6, 8), 255, np.uint8))
    with pytest.raises(DataError, match=r"case 'c1' of .* is void all over"):
        understand(Request(folder=judged, name="mine", void=255))


def test_any_value_can_be_the_one(judged, put):
    for k in range(3):
        values = np.tile(np.array([0, 1, 7, 0], np.uint8), 12).reshape(6, 8)
        put(f"masks/ann/c{k}.png", values)
        put(f"masks/bo/c{k}.png", values)
    cases = imported(judged, void=7)
    np.testing.assert_array_equal(cases.valid(0), values != 7)
    assert cases.description.n_classes == 2


def test_a_volume_has_void_pixels_as_a_slice_has(put, tmp_path):
    for k in range(3):
        put(f"images/c{k}.npy", np.arange(120, dtype=np.uint8).reshape(4, 5, 6))
        values = np.zeros((4, 5, 6), np.uint8)
        values[1:3, 1:3, 1:3], values[3, :, 0] = 1, 9
        put(f"masks/ann/c{k}.npy", values)
    cases = imported(tmp_path / "f", void=9)
    assert cases.is_volume
    np.testing.assert_array_equal(cases.valid(0), values != 9)
