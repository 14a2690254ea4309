"""Pictures of cases: true proportions, and a colour for each rater."""

import numpy as np
from PIL import Image

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters
from mrbench.pictures import COLOURS, NOBODY, TILE, write_contact_sheet


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


def test_ten_raters_have_ten_colours():
    assert len({*COLOURS, NOBODY}) == 11
