"""Methods can be told apart, by colour-blind readers too, and without any colour."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from mrbench.report import palette

STYLE = files("mrbench.report").joinpath("style.css").read_text()
SIMULATED = {  # Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
    "trichromat": np.eye(3),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanope": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour: str) -> np.ndarray:
    shares = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(colour: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ colour.clip(0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIMULATED)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_no_two_method_colours_look_alike(sight: str, scheme: int):
    colours = [found[scheme] for found in re.findall(r"--c\d: light-dark\((#\w{6}), (#\w{6})\)", STYLE)]
    assert len(colours) == palette.HUES
    seen = [lab(SIMULATED[sight] @ linear(colour)) for colour in colours]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


def test_every_method_of_a_large_page_has_a_look_of_its_own():
    looks = {(palette.hue(style), palette.marker(style)) for style in range(56)}
    assert len(looks) == 56
    assert len({palette.marker(style) for style in range(8)}) == 8
    assert len(palette.GLYPHS) == len(palette.MARKERS)


def test_neighbouring_raters_differ_in_colour_and_dash():
    for rater in range(8):
        assert palette.rater_colour(rater) != palette.rater_colour(rater + 1)
        assert palette.rater_dash(rater) != palette.rater_dash(rater + 1)
