"""A small collection, and where the real data are."""

import os
from pathlib import Path

import numpy as np
import pytest
from lidc_files import reading_xml, ring, roi, write_series


@pytest.fixture
def units():
    """Hounsfield units of five slices, (5, 80, 90)."""
    return np.random.default_rng(0).integers(-1024, 600, (5, 80, 90)).astype(np.int16)


@pytest.fixture
def sessions():
    """Four readers: one nodule that all outline, largest on slice 2 by reader 4, and one that two outline."""
    grown = [ring(40, 30, 43 + r, 33 + r) for r in range(4)]
    shared = [[roi(points, -5.0, "1.2.3.2"), roi(ring(40, 30, 42, 32), -7.5, "1.2.3.1")] for points in grown]
    other = [[roi(ring(10, 60, 12, 62), 0.0, "1.2.3.4")], [roi(ring(10, 60, 12, 63), 0.0, "1.2.3.4")]]
    return [[shared[0], other[0]], [shared[1]], [shared[2], other[1]], [shared[3]]]


@pytest.fixture
def collection(tmp_path, units, sessions):
    """A folder with one series and its reading."""
    folder = tmp_path / "LIDC-IDRI"
    write_series(folder, units)
    (folder / "LIDC-IDRI-0001" / "1.2.3" / "069.xml").write_text(reading_xml(sessions))
    return folder


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data."""
    root = Path(__file__).parents[3]
    return Path(os.environ.get("MRBENCH_TEST_DATA") or root.parent / "shared" / "data")
