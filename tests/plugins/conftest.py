"""Fixtures of the method plugins' tests: any installed method on a made-up data set, batches, four learnable cases."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from made_draws import draws

from mrbench.configuration import flat
from mrbench.data.case import Image
from mrbench.data.description import Description, Raters
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method
from mrbench.registry import discover

TINY = {"backbone.name": "unet", "backbone.width": 8, "backbone.depth": 3}
SMALL_ENCODER = {"encoder.widths": (8, 16), "encoder.convolutions": 1}


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_method(one_thread: None) -> Callable[..., Method[Any]]:
    """Builds a method by name; ``tiny``: with a small backbone and, where it has encoders, small ones."""

    def make(
        name: str,
        preset: str = "quick",
        *,
        raters: int = 4,
        classes: int = 2,
        channels: int = 1,
        tiny: bool = True,
        **options: Any,
    ) -> Method[Any]:
        description = Description(
            name="made",
            version="1",
            classes=tuple(f"class-{k}" for k in range(classes)),
            channels=tuple(f"channel-{c}" for c in range(channels)),
            raters=Raters.IDENTIFIED,
            rater_names=tuple(f"rater-{r}" for r in range(raters)),
        )
        plugin = discover().get("method", name)
        config = plugin.load_config()
        small = {**TINY, **SMALL_ENCODER} if tiny else {}
        values = flat(plugin.card.presets[preset]) | {k: v for k, v in small.items() if k in config.options()}
        return plugin.load()(config.parse(values | flat(options), owner=name), description)

    return make


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    def make(size: int = 3, *, raters: int = 4, classes: int = 2, channels: int = 1, side: int = 16) -> Batch:
        generator = torch.Generator().manual_seed(1)
        image = torch.rand(size, channels, side, side, generator=generator)
        masks = torch.randint(0, classes, (size, raters, side, side), generator=generator)
        return Batch(
            image, masks, torch.ones(size, raters, dtype=torch.bool), torch.ones(size, side, side, dtype=torch.bool)
        )

    return make


@pytest.fixture
def four_cases() -> Slices:
    """Four 32 x 32 images of a bright disc; rater r marks it with a radius of its own."""
    y, x = np.mgrid[:32, :32]
    distance = np.stack([np.hypot(y - cy, x - cx) for cy, cx in ((10, 11), (14, 20), (20, 12), (18, 18))])
    image = np.exp(-((distance / 8) ** 2))[:, None].astype(np.float32)
    masks = np.stack([distance < radius for radius in (5, 6, 8, 9)], axis=1).astype(np.uint8)
    return Slices(torch.from_numpy(image), torch.from_numpy(masks), torch.ones(4, 4, dtype=torch.bool), 1.0)


@pytest.fixture
def dice_of_draws(four_cases: Slices) -> Callable[..., np.ndarray]:
    """Dice of a method's draws for the four cases with each rater's mask, ``(4, draws, R)``."""

    def dice(method: Method[Any], n: int = 0, gives: str = "raters") -> np.ndarray:
        found = []
        for case, array in enumerate(four_cases.image.numpy()):
            drawn = draws(method, Image(f"case-{case}", array), n, gives)
            masks, truth = np.stack([draw.probability[1] > 0.5 for draw in drawn]), four_cases.masks[case].numpy() > 0
            found.append([[2 * (m & t).sum() / (m.sum() + t.sum()) for t in truth] for m in masks])
        return np.array(found)

    return dice


@pytest.fixture
def dice_of_nearest(dice_of_draws: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """``(R,)`` the mean over the four cases of each rater's Dice with the nearest of 60 samples."""
    return lambda method: dice_of_draws(method, 60, "samples").max(axis=1).mean(axis=0)


@pytest.fixture
def dice_of_own(dice_of_draws: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """``(R,)`` the mean over the four cases of each rater's Dice with the rater's own prediction."""
    return lambda method: np.diagonal(dice_of_draws(method), axis1=1, axis2=2).mean(axis=0)
