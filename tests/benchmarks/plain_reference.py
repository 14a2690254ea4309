"""A plain reference for tables of learned methods: one U-Net of half a million parameters, one output per rater.

    mrbench run --plugin-file tests/benchmarks/plain_reference.py --method plain-reference --dataset lidc --data FOLDER

A method that stays below this row at the same number of epochs has not learned to represent the raters.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mrbench import Description, Method, MethodCard, Noise, hookimpl
from mrbench.configuration import option
from mrbench.interfaces.method import Batch
from mrbench.nn.losses import cross_entropy
from mrbench.nn.training import NetworkTraining
from mrbench.nn.unet import UNet

MRBENCH_API = "2"


@hookimpl
def mrbench_methods() -> list[MethodCard]:
    return [
        MethodCard(
            name="plain-reference",
            code="plain_reference:PlainReference",
            config="plain_reference:Options",
            summary="one U-Net with an output channel per rater",
            gives="raters",
            multi_class=False,
            presets={"quick": {"batch_size": 6, "learning_rate": 3e-3, "epochs": 30, "patience": None}},
        )
    ]


class Options(NetworkTraining):
    """Options of the reference."""

    background_log_odds: float = option(3.0, "of the background before training")
    width: int = option(23, "channels of the U-Net at full resolution; 23 gives half a million parameters", ge=1)


class PlainReference(Method[Options]):
    """``(B, C, H, W)`` to R foreground logits; the loss is the mean cross-entropy over the raters present."""

    stage_name = "unet"

    def __init__(self, config: Options, description: Description) -> None:
        super().__init__(config, description)
        body = UNet(len(description.channels), width=config.width)
        head = nn.Conv2d(body.out_channels, description.n_raters, 1)
        with torch.no_grad():
            head.get_parameter("bias").sub_(config.background_log_odds)
        self.unet = nn.Sequential(body, head)

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        logits = self.unet(batch.image)[:, :, None]  # (B, R, 1, H, W)
        return {"cross_entropy": cross_entropy(logits, batch.masks, batch.present)}

    def features(self, x: Tensor) -> Tensor:
        return self.unet(x)

    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Tensor:
        return features[None, :, rater : rater + 1]
