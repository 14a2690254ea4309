"""PHiSeg's networks: latents from coarse to fine, and an output at each of their levels.

Levels of the latents count from the finest, 0, and are the coarsest resolutions. Z counts the channels of a latent, L
the logits per pixel.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.nn.convolutional import Convolutional, convolutions_in_bf16
from mrbench.nn.gaussian import DiagonalGaussian
from mrbench.nn.unet import convolution
from mrbench_phiseg.config import PHiSegConfig

LEAST_VARIANCE = 1e-10

Choose = Callable[[int, DiagonalGaussian], Tensor]
"""The latent of a level, ``(B, Z, h, w)``, from its number and its distribution given the coarser latents."""


def channels_of(config: PHiSegConfig) -> list[int]:
    """Of the resolutions, finest first."""
    return [config.width * min(2**level, 6) for level in range(config.resolutions)]


class Convolutions(Convolutional):
    """3x3 convolutions, each with BatchNorm and ReLU: ``(B, channels[0], H, W)`` to ``(B, channels[-1], H, W)``."""

    def __init__(self, *channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(convolution(inner, outer) for inner, outer in pairwise(channels)))

    def forward(self, x: Tensor) -> Tensor:
        return self.convolved(self.layers, x)


class Raised(nn.Module):
    """Doubles the resolution, then convolves: ``(B, channels[0], H, W)`` to ``(B, channels[-1], 2 H, 2 W)``."""

    def __init__(self, *channels: int) -> None:
        super().__init__()
        self.convolutions = Convolutions(*channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.convolutions(functional.interpolate(x, scale_factor=2, mode="bilinear"))
        return out


class Moments(nn.Module):
    """Maps to a Gaussian over ``(B, Z, H, W)``; the deviation is a softplus."""

    def __init__(self, in_channels: int, latent: int, kernel: int) -> None:
        super().__init__()
        self.mean = nn.Conv2d(in_channels, latent, kernel, padding=kernel // 2)
        self.deviation = nn.Conv2d(in_channels, latent, 1)

    def forward(self, maps: Tensor) -> DiagonalGaussian:
        variance = functional.softplus(self.deviation(maps)) ** 2 + LEAST_VARIANCE
        return DiagonalGaussian(self.mean(maps), variance.log())


class Latents(nn.Module):
    """p(z_l | z_(l + 1), x), or q(z_l | z_(l + 1), x, y) where ``in_channels`` counts the masks in.

    It computes in float32 always: a divergence squares small differences of two networks' outputs and sums them.
    """

    def __init__(self, config: PHiSegConfig, in_channels: int) -> None:
        super().__init__()
        channels, levels = channels_of(config), config.latent_levels
        self.resolutions = nn.ModuleList(
            Convolutions(inner, outer, outer, outer) for inner, outer in pairwise((in_channels, *channels))
        )
        deep, joined = channels[-levels:], config.latent * config.width
        self.raised = nn.ModuleList(Raised(config.latent, joined, joined) for _ in range(levels - 1))
        self.joined = nn.ModuleList(
            Convolutions(deep[level] + joined, channels[level], channels[level]) for level in range(levels - 1)
        )
        self.moments = nn.ModuleList(Moments(channels[level], config.latent, 1) for level in range(levels - 1))
        self.moments.append(Moments(deep[-1], config.latent, 3))
        _start(self)
        if config.equal_deviations:
            # He's weights give some pixels deviations of 1e-4 and first divergences of 1e5 to 1e8 nats, whose squared
            # gradients slow Adam for its next thousand steps.
            for moments in self.moments:
                nn.init.zeros_(moments.get_submodule("deviation").get_parameter("weight"))

    def maps(self, x: Tensor) -> list[Tensor]:
        """Of the levels of the latents, finest first, from ``(B, C, H, W)``."""
        found: list[Tensor] = []
        with convolutions_in_bf16(chosen=False):
            for convolutions in self.resolutions:
                x = convolutions(functional.avg_pool2d(x, 2) if found else x)
                found.append(x)
        return found[-len(self.moments) :]

    def forward(self, maps: Sequence[Tensor], choose: Choose) -> list[tuple[DiagonalGaussian, Tensor]]:
        """Each level's distribution and its latent as chosen, finest first."""
        with convolutions_in_bf16(chosen=False):
            return self._levels(maps, choose)

    def _levels(self, maps: Sequence[Tensor], choose: Choose) -> list[tuple[DiagonalGaussian, Tensor]]:
        found: list[tuple[DiagonalGaussian, Tensor]] = []
        for level in reversed(range(len(self.moments))):
            x = maps[level]
            if found:
                below = self.raised[level](found[-1][1])
                x = self.joined[level](torch.cat([x, below], dim=1))
            gaussian = self.moments[level](x)
            found.append((gaussian, choose(level, gaussian)))
        return found[::-1]


class Likelihood(nn.Module):
    """Latents to logits: each level adds to what the coarser ones say."""

    def __init__(self, config: PHiSegConfig, logits: int) -> None:
        super().__init__()
        channels, levels = channels_of(config), config.latent_levels
        raises = config.resolutions - levels
        self.own = nn.ModuleList(_own(config.latent, channels[level], raises) for level in range(levels))
        merged = [*channels[raises : raises + levels - 1], channels[levels - 1]]
        self.raised = nn.ModuleList(Raised(merged[level + 1], channels[level]) for level in range(levels - 1))
        self.merged = nn.ModuleList(
            Convolutions(2 * channels[level], merged[level], merged[level]) for level in range(levels - 1)
        )
        self.outputs = nn.ModuleList(nn.Conv2d(inner, logits, 1) for inner in merged)
        _start(self)

    def forward(self, latents: Sequence[Tensor], size: tuple[int, int]) -> list[Tensor]:
        """``(B, L, *size)`` logits of each level and those below, finest first; the first are the answer."""
        found: list[Tensor] = []
        x = None
        for level in reversed(range(len(latents))):
            own = self.own[level](latents[level])
            x = own if x is None else self.merged[level](torch.cat([own, self.raised[level](x)], dim=1))
            logits = functional.interpolate(self.outputs[level](x), size=size, mode="nearest")
            found.append(found[-1] + logits if found else logits)
        return found[::-1]


def _own(latent: int, channels: int, raises: int) -> nn.Sequential:
    raised = (Raised(channels, channels) for _ in range(raises))
    return nn.Sequential(Convolutions(latent, channels, channels), *raised)


def _start(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
