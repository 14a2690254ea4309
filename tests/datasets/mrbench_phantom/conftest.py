"""Loads phantoms under any options."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrbench.data.caseset import CaseSet
from mrbench_phantom import dataset
from mrbench_phantom.config import PhantomConfig

Load = Callable[..., CaseSet]


def load_phantom(**options: Any) -> CaseSet:
    return dataset.load(PhantomConfig.parse(options, owner="phantom"), Path("unused"))


@pytest.fixture
def load() -> Load:
    """``load(**options)`` is the phantom under these options."""
    return load_phantom


@pytest.fixture(scope="session")
def many() -> CaseSet:
    """About 800 cases of 200 subjects at a coarse grid, for statements about tendencies."""
    return load_phantom(subjects=200, size=40, seed=3)


@pytest.fixture(scope="session")
def many_masks(many: CaseSet) -> np.ndarray:
    """(N, R, H, W) bool masks of ``many``."""
    return np.stack([many.pixels.masks(i) for i in range(len(many))]).astype(bool)
