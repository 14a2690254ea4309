"""Our training steps and the released ones on the same batch, from the same weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from released.confusion import Global, Pixel
from released.dpersona import EncoderPerRater, ProbUNet, StageOne, StageTwo
from released.pionono import Pionono
from released.proseg import ProSeg
from released.step import Released, step
from released.tab import Tab
from released.unet_alone import Supervised
from torch import Tensor

from mrbench.cards import MethodCard
from mrbench.configuration import flat
from mrbench.data.case import Image
from mrbench.data.description import Description, Raters
from mrbench.engine.draws import Source, draws_of
from mrbench.engine.fit import SeenSlices, _StageLoop
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.registry import discover

CPU = torch.device("cpu")
RATERS = 4

DISCS = Description(
    name="discs",
    version="1",
    classes=("background", "disc"),
    channels=("grey",),
    raters=Raters.IDENTIFIED,
    rater_names=tuple(f"rater-{r}" for r in range(RATERS)),
)


@dataclass(frozen=True)
class Pair:
    """A method's stage under the preset that follows the release, and the released step.

    Attributes:
        method, preset, stage: ours.
        released: built from our method.
    """

    method: str
    preset: str
    released: Callable[[Any], Released]
    stage: int = 0

    def ours(self) -> Method[Any]:
        """Our method with fresh weights, always the same."""
        plugin = discover().get("method", self.method)
        torch.manual_seed(0)
        method: Method[Any] = plugin.load()(
            plugin.load_config().parse(flat(plugin.card.presets[self.preset]), owner=self.method), DISCS
        )
        return method


PAIRS = {
    "unet-majority": Pair("unet-majority", "paper", Supervised),
    "prob-unet": Pair("prob-unet", "as_released", ProbUNet),
    "dpersona-1": Pair("dpersona-1", "as_released", StageOne),
    "dpersona-2": Pair("dpersona-2", "as_released", StageTwo, stage=1),
    "cm-global": Pair("cm-global", "as_released", Global),
    "cm-pixel": Pair("cm-pixel", "as_released", Pixel),
    "pionono": Pair("pionono", "as_released", Pionono),
    "tab": Pair("tab", "as_released", Tab),
    "proseg": Pair("proseg", "as_released", ProSeg),
    "per-rater": Pair("per-rater", "paper", EncoderPerRater),
}


def discs(n: int, side: int) -> Slices:
    """Noisy images of which each rater marks a disc of a size of the rater's own."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    radius = side * (0.1 + 0.2 * torch.rand(n, RATERS, 1, 1, generator=generator))
    masks = torch.hypot(y - side / 2, x - side / 2) < radius  # (N, R, H, W)
    image = torch.rand(n, 1, side, side, generator=generator) + masks.float().mean(dim=1, keepdim=True)
    return Slices(image, masks.to(torch.uint8), torch.ones(n, RATERS, dtype=torch.bool), 1.0)


def never() -> bool:
    """Nobody asks a benchmark to end."""
    return False


class Ours:
    """Steps of a stage as the training loop takes them, on one batch again and again."""

    def __init__(self, method: Method[Any], number: int, slices: Slices) -> None:
        stage: Stage = list(method.stages())[number]
        self.stage = replace(stage, batch_size=len(slices))
        self.loop = _StageLoop(method, self.stage, 0, CPU, SeenSlices(slices, 0, None, self.stage), None, 1, never)
        self.loop._freeze()
        self.loop._set_mode(training=True)
        self.batch: Batch = self.loop.train.in_epoch(0).batch(torch.arange(len(slices)), CPU)

    def step(self) -> Tensor:
        """The loss before the step."""
        return self.loop._step(self.batch, "the benchmark")["total"]


class Theirs:
    """Steps of the release on the same batch."""

    def __init__(self, method: Released, batch: Batch) -> None:
        self.method, self.batch, self.optimiser = method, batch, method.optimiser()

    def step(self) -> Tensor:
        """The loss before the step."""
        return step(self.method, self.optimiser, self.batch).detach()


def both(pair: Pair, n: int, side: int) -> tuple[Ours, Theirs]:
    """Steps of both from the same weights on the same batch."""
    method = pair.ours()
    released = pair.released(method).train()
    ours = Ours(method, pair.stage, discs(n, side))
    return ours, Theirs(released, ours.batch)


SAMPLED = {"proseg": "proseg-prior", "dpersona-1": "dpersona-1"}
"""The row whose samples are those of the release, by the pair's name."""


class OurSamples:
    """Samples of one image."""

    def __init__(self, method: Method[Any], image: Tensor, n: int) -> None:
        self.method, self.image, self.n = method, Image("case", image[0].numpy()), n
        card = MethodCard(name="ours", code="a:b", gives="samples")
        self.source = Source(method, card, 0, CPU)

    def step(self) -> np.ndarray:
        """``(n, H, W)`` probabilities."""
        return np.stack([draw.probability[1] for draw in draws_of(self.source, self.image, self.n)])


class TheirSamples:
    """Samples of the same image."""

    def __init__(self, method: Released, image: Tensor, n: int) -> None:
        self.method, self.image, self.n = method.eval(), image, n

    def step(self) -> np.ndarray:
        """``(n, H, W)`` probabilities."""
        return self.method.sample(self.image, self.n).numpy()  # type: ignore[operator]


def both_sampled(name: str, n: int, side: int) -> tuple[OurSamples, TheirSamples]:
    """Samples of both from the same weights."""
    pair, image = replace(PAIRS[name], method=SAMPLED[name]), discs(1, side).image
    method = pair.ours()
    return OurSamples(method, image, n), TheirSamples(pair.released(method), image, n)
