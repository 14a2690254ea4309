from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from mrbench.data.case import Image
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch
from mrbench_proseg.method import ProSeg


@pytest.fixture(autouse=True)
def alone(one_thread: None) -> None:
    """Every test starts from the same generator, on one thread."""


@pytest.fixture
def build(make_method: Callable[..., ProSeg]) -> Callable[..., ProSeg]:
    return partial(make_method, "proseg")


@pytest.fixture
def batch(make_batch: Callable[..., Batch]) -> Callable[..., Batch]:
    return make_batch


@pytest.fixture
def picture() -> Callable[..., Image]:
    return lambda *shape, name="case-1": Image(name, np.random.default_rng(7).random(shape, dtype=np.float32))


@pytest.fixture
def four_discs(four_cases: Slices) -> Slices:
    return four_cases
