"""A plugin file: methods whose trained weight is one number that depends on the seed and that no training moves."""

import torch
from torch import nn

from mrbench import Method, MethodCard, Probabilities, TrainingOptions, hookimpl

MRBENCH_API = "2"


class Constant(Method):
    """The probability of the foreground is the level; samples and raters add noise of their own."""

    def __init__(self, config, description):
        super().__init__(config, description)
        self.level = nn.Parameter(torch.rand(()) / 2)

    def loss(self, batch):
        return {"nothing": 0 * self.level}

    def _filled(self, x, foreground):
        maps = foreground[:, :, None, None].expand(-1, -1, *x.shape[-2:])
        return Probabilities(torch.stack([1 - maps, maps], dim=2))

    def sample(self, features, noise):
        return self._filled(features, self.level + noise.uniform("u") / 2)

    def as_rater(self, features, rater, noise):
        return self._filled(features, (self.level + rater / 10).expand(1, len(features)))

    def consensus(self, features, noise):
        return self._filled(features, self.level.expand(1, len(features)))


def card(name, gives):
    return MethodCard(
        name=name,
        code=f"{__name__}:Constant",
        config=f"{__name__}:Short",
        gives=gives,
        presets={"quick": {"epochs": 1}, "odd": {"epochs": 3}},
    )


class Short(TrainingOptions):
    """Options of a training that changes nothing."""


@hookimpl
def mrbench_methods():
    return [
        card("constant", "samples raters consensus"),
        card("constant-raters", "raters"),
        card("constant-samples", "samples consensus"),
    ]
