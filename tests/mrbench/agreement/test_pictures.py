"""Figures are PNG files that hold what they say; numbers stand out from their ground."""

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from mrbench.agreement.pictures import INK, PAPER, SHADES, _distances, _on, _ranks, write_pictures
from mrbench.agreement.survey import survey
from mrbench.data.description import Raters
from mrbench.metrics.protocol import STRICT
from mrbench.registry import Registry


def measured(cases):
    return survey(cases, Registry(), STRICT, samples=1)


def written(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_each_square_of_the_distances_has_its_number(make_cases, blobs):
    found = measured(make_cases(blobs()))
    values = found.estimates["distance"].value[0]
    figure = _distances(found, 0, "")
    off = [f"{values[r, s]:.3f}".removeprefix("0") for r in range(4) for s in range(4) if r != s]
    assert written(figure) == off
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list("abcd")


def test_shares_of_ranks_sum_to_one(make_cases, blobs):
    figure = _ranks(measured(make_cases(blobs())), 0, "")
    shares = np.array([float(text) for text in written(figure)]).reshape(4, 4)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=0.021)


def test_pictures_are_png_on_white(make_cases, blobs, tmp_path):
    paths = write_pictures(measured(make_cases(blobs())), tmp_path)
    assert [path.name for path in paths] == ["distances.png", "ranks.png"]
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert picture.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
            assert min(picture.size) > 300


def test_there_is_a_picture_per_class_and_none_of_anonymous_raters(make_cases, blobs, tmp_path):
    cases = make_cases(blobs(classes=3), classes=3)
    names = [path.name for path in write_pictures(measured(cases), tmp_path)]
    assert names == [f"{what}-{k}.png" for k in (1, 2, 3) for what in ("distances", "ranks")]
    assert write_pictures(measured(make_cases(blobs(), raters=Raters.EXCHANGEABLE)), tmp_path) == []


def test_nothing_to_rank_leaves_no_picture_of_ranks(make_cases, blobs, tmp_path):
    present = np.ones((12, 4), bool)
    present[:, 2] = False
    paths = write_pictures(measured(make_cases(blobs(), present=present)), tmp_path)
    assert [path.name for path in paths] == ["distances.png"]


@pytest.mark.parametrize("share", np.linspace(0, 1, 11))
def test_numbers_stand_out_from_their_ground(share):
    ground = mpl.colormaps[SHADES](share)

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    low, high = sorted([luminance(ground), luminance(_on(ground))])
    assert (high + 0.05) / (low + 0.05) >= 3.9
    assert _on(ground) in (INK, PAPER)
