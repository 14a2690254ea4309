"""Data sets to fuse: a description in one call, and the real slices where they are at hand."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mrbench import Description, Raters

ROOT = Path(__file__).parents[3]


@pytest.fixture
def describe() -> Callable[..., Description]:
    """``describe(raters=4, classes=2, kind=...)``: the declarations of a data set."""

    def _describe(raters: int = 4, classes: int = 2, kind: Raters = Raters.EXCHANGEABLE) -> Description:
        return Description(
            name="drawn",
            version="1",
            classes=tuple(f"class {k}" for k in range(classes)),
            channels=("grey",),
            raters=kind,
            rater_names=tuple(f"rater {r}" for r in range(raters)),
        )

    return _describe


@pytest.fixture(scope="session")
def lidc_masks() -> np.ndarray:
    """``(1609, 4, 128, 128)`` bool, the slices of the published LIDC benchmark."""
    folder = Path(os.environ.get("MRBENCH_TEST_DATA", ROOT.parent / "shared" / "data"))
    file = folder / "lidc_slices_masks.npz"
    if not file.is_file():
        pytest.skip(f"{file.name} is not in MRBENCH_TEST_DATA")
    with np.load(file, allow_pickle=False) as archive:
        return archive["masks"]
