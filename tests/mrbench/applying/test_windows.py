"""An image of another size or spacing is shown in windows or resampled, or refused; answers come back on its grid."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench.applying.scope import Scope
from mrbench.applying.windows import Windows, resampled, windows_of
from mrbench.errors import DataError

SCOPE = Scope(window=(8, 6), sizes=((8, 6), (8, 6)), spacings=((1.0, 1.0), (1.0, 1.0), (1.0, 1.0)))
RNG = np.random.default_rng(0)


def windows(size: tuple[int, int], **asked: object) -> Windows:
    chosen = {"tile": False, "centre": None} | asked
    return windows_of(size, size, SCOPE, "a.png", **chosen)  # type: ignore[arg-type]


def cut_and_joined(chosen: Windows, image: np.ndarray) -> np.ndarray:
    return chosen.joined(list(chosen.cut(image)))


@pytest.mark.parametrize("size", [(8, 6), (9, 7), (21, 30), (8, 60)])
def test_windows_cover_every_pixel_and_what_is_cut_is_joined_again(size: tuple[int, int]):
    image = RNG.random((2, 3, *size), np.float32)
    chosen = windows(size, tile=True)
    assert all(part.shape[-2:] == (8, 6) for part in chosen.cut(image))
    assert np.allclose(cut_and_joined(chosen, image), image, atol=1e-6)


def test_where_windows_overlap_their_mean_counts():
    chosen = Windows((1, 3), (1, 3), (1, 2), [(0, 0), (0, 1)])
    joined = chosen.joined([np.full((1, 1, 2), 0.2), np.full((1, 1, 2), 0.6)])
    assert np.allclose(joined, [[[0.2, 0.4, 0.6]]])


@pytest.mark.parametrize(
    ("centre", "corner"), [((10, 10), (6, 7)), ((0, 0), (0, 0)), ((19, 29), (22, 14)), ((10, 0), (0, 7))]
)
def test_one_window_lies_around_its_centre_inside_the_image(centre: tuple[int, int], corner: tuple[int, int]):
    chosen = windows((30, 20), centre=centre)
    assert list(chosen.corners) == [corner]
    joined = chosen.joined([np.stack([np.zeros((8, 6)), np.ones((8, 6))])])
    assert np.allclose(joined.sum(axis=0), 1)
    assert joined[1].sum() == 8 * 6
    top, left = corner
    assert joined[1, top : top + 8, left : left + 6].all()


def test_another_size_is_refused_with_what_helps():
    with pytest.raises(DataError, match=r"a\.png has another size(.|\n)*8 x 6\n  found:    16 x 6(.|\n)*--tile") as one:
        windows((16, 6))
    assert one.value.exit_code == 1
    for asked in ({}, {"tile": True}, {"centre": (1, 1)}):
        with pytest.raises(DataError, match="resample it, or pad it to 8 x 6"):
            windows((4, 20), **asked)
    with pytest.raises(DataError, match=r"--centre 20,3 is outside of a\.png"):
        windows((30, 20), centre=(20, 3))


def test_sizes_that_the_cases_have_are_predicted_whole():
    wide = replace(SCOPE, sizes=((4, 4), (40, 40)))
    for size in ((8, 6), (4, 40), (17, 23)):
        assert windows_of(size, size, wide, "a", tile=True, centre=None).are_whole
    with pytest.raises(DataError, match="from 4 x 4 to 40 x 40"):
        windows_of((41, 40), (41, 40), wide, "a", tile=False, centre=None)
    assert windows_of((3, 99), (3, 99), None, "a", tile=False, centre=None).are_whole


def test_another_spacing_is_resampled_to_the_median_and_the_range_of_the_cases_is_not():
    assert SCOPE.resampled((16, 12), (0.5, 0.5)) == (8, 6)
    assert SCOPE.resampled((16, 12), (2.0, 0.5)) == (32, 6)
    assert SCOPE.resampled((16, 12), (1.005, 1.0)) == (16, 12)
    assert SCOPE.resampled((16, 12), None) == (16, 12)
    assert replace(SCOPE, spacings=None).resampled((16, 12), (0.5, 0.5)) == (16, 12)
    several = replace(SCOPE, spacings=((0.5, 0.5), (0.7, 0.7), (0.9, 0.9)))
    assert several.resampled((16, 12), (0.5, 0.9)) == (16, 12)
    assert several.resampled((16, 12), (1.4, 1.4)) == (32, 24)


def test_resampling_keeps_extent_constants_and_slopes():
    ramp = np.arange(16, dtype=np.float32)[None, :].repeat(8, axis=0)
    assert np.allclose(resampled(np.full((2, 8, 16), 0.25), (5, 40)), 0.25)
    halved = resampled(ramp, (8, 8))
    assert np.allclose(halved[:, 2:-2], (2 * np.arange(8) + 0.5)[2:-2], atol=1e-4), "centres of pairs of pixels"
    doubled = resampled(ramp, (8, 32))
    assert np.allclose(doubled[:, 4:-4], ((np.arange(32) + 0.5) / 2 - 0.5)[4:-4], atol=1e-4)
    assert resampled(ramp, (8, 16)) is ramp
