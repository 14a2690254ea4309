from collections.abc import Callable

import pytest

from mrbench.engine.slices import Slices
from mrbench_unet.method import UNetConsensus, UNetMajority, UNetRater, UNetStaple

NAMES = {UNetMajority: "unet-majority", UNetStaple: "unet-staple", UNetRater: "unet-rater"}


@pytest.fixture(autouse=True)
def alone(one_thread: None) -> None:
    """Every test starts from the same generator, on one thread."""


@pytest.fixture
def build(make_method: Callable[..., UNetConsensus | UNetRater]) -> Callable[..., UNetConsensus | UNetRater]:
    def build(method: type[UNetConsensus] | type[UNetRater], **options: object) -> UNetConsensus | UNetRater:
        return make_method(NAMES[method], **options)

    return build


@pytest.fixture
def four_discs(four_cases: Slices) -> Slices:
    return four_cases
