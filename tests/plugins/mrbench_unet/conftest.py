from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from mrbench.data.description import Description, Raters
from mrbench.engine.slices import Slices
from mrbench_unet import PRESETS
from mrbench_unet.config import UNetConfig
from mrbench_unet.method import UNetConsensus, UNetRater

TINY = {"backbone": {"name": "unet", "width": 8, "depth": 3}}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def build() -> Callable[..., UNetConsensus | UNetRater]:
    def build(
        method: type[UNetConsensus] | type[UNetRater],
        *,
        raters: int = 4,
        classes: int = 2,
        channels: int = 1,
        **options: object,
    ) -> UNetConsensus | UNetRater:
        description = Description(
            name="made",
            version="1",
            classes=tuple(f"class-{k}" for k in range(classes)),
            channels=tuple(f"channel-{c}" for c in range(channels)),
            raters=Raters.IDENTIFIED,
            rater_names=tuple(f"rater-{r}" for r in range(raters)),
        )
        return method(UNetConfig.parse({**PRESETS["quick"], **TINY, **options}, owner="unet"), description)

    return build


@pytest.fixture
def four_discs() -> Slices:
    """Four 32 x 32 images of a bright disc; rater r marks it with a radius of its own."""
    y, x = np.mgrid[:32, :32]
    distance = np.stack([np.hypot(y - cy, x - cx) for cy, cx in ((10, 11), (14, 20), (20, 12), (18, 18))])
    image = np.exp(-((distance / 8) ** 2))[:, None].astype(np.float32)
    masks = np.stack([distance < radius for radius in (5, 6, 8, 9)], axis=1).astype(np.uint8)
    return Slices(torch.from_numpy(image), torch.from_numpy(masks), torch.ones(4, 4, dtype=torch.bool), 1.0)
