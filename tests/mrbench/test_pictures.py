"""Pictures of cases: true proportions, and a colour for each rater."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from PIL import Image

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters
from mrbench.hatching import GREYS
from mrbench.pictures import COLOURS, GAP, NOBODY, TILE, write_contact_sheet, write_prediction_picture


def wide_cases() -> CaseSet:
    """A case of 20 x 40 pixels in which one rater marked a square of 10 x 10."""
    masks = np.zeros((1, 1, 20, 40), np.uint8)
    masks[..., 5:15, 10:20] = 1
    description = Description(
        name="wide", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED, rater_names=("r",)
    )
    pixels = ArrayPixels(np.zeros((1, 1, 20, 40), np.uint8), masks)
    return CaseSet(description, pixels, ("a",), ("a",), np.ones((1, 1), bool), {})


def test_a_square_stays_a_square_in_a_case_that_is_none(tmp_path):
    write_contact_sheet(wide_cases(), tmp_path / "sheet.png", 1)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))[32:]  # below the legend
    rows, columns = np.nonzero((sheet == COLOURS[0]).all(axis=2))
    assert np.ptp(rows) == np.ptp(columns) == 10 * TILE // 40 - 1


def test_void_pixels_are_hatched(tmp_path):
    cases = wide_cases()
    valid = np.ones((1, 20, 40), bool)
    valid[0, :, 30:] = False
    void = replace(cases, pixels=replace(cases.pixels, all_valid=valid))
    sheets = []
    for n, shown in enumerate((cases, void)):
        write_contact_sheet(shown, tmp_path / f"{n}.png", 1)
        sheets.append(np.asarray(Image.open(tmp_path / f"{n}.png")).astype(int))
    rows, columns = np.nonzero((sheets[0] != sheets[1]).any(axis=2))
    assert columns.min() == GAP + 30 * TILE // 40
    assert columns.max() < GAP + TILE
    assert np.ptp(rows) == 20 * TILE // 40 - 1
    assert {*np.unique(sheets[1][rows, columns])} == set(GREYS)


def test_ten_raters_have_ten_colours():
    assert len({*COLOURS, NOBODY}) == 11


def test_a_prediction_of_a_volume_shows_the_plane_that_its_mean_marks_most(tmp_path):
    mean = np.zeros((1, 3, 8, 8), np.float32)
    mean[0, 1, :, :4], mean[0, 2, 0, 0] = 1, 1
    labels = (mean[0] > 0).astype(np.uint8)
    masks = {
        "samples": [SimpleNamespace(labels=labels, rater=None)],
        "raters": [SimpleNamespace(labels=labels, rater=0)],
    }
    answer = SimpleNamespace(masks=masks, mean=mean, variance=mean / 4)
    image = np.zeros((1, 3, 8, 8), np.float32)
    write_prediction_picture(tmp_path / "p.png", "a", image, answer, wide_cases().description)
    sheet = np.asarray(Image.open(tmp_path / "p.png"))
    half = (np.arange(TILE) < TILE // 2) * 255
    _, columns = np.nonzero((sheet == COLOURS[0]).all(axis=2))
    assert columns.max() == GAP + TILE // 2 - 1
    top = GAP + 16  # below a title; there is no legend
    for tile in (1, 2):  # mean, and variance of which .25 is white
        left = GAP + tile * (TILE + GAP)
        assert (sheet[top + 5, left : left + TILE] == half[:, None]).all()
    left = GAP + 3 * (TILE + GAP)
    assert (sheet[top, left : left + TILE // 2] == NOBODY).all()
