"""Small networks of one shape, one for each rater."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn


class PerRater(nn.Module):
    """R networks; each input goes through the one of its rater, and a rater without input costs nothing.

    Args:
        build: makes one network.
        raters: R.
    """

    def __init__(self, build: Callable[[], nn.Module], raters: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(build() for _ in range(raters))

    def forward(self, x: Tensor, rater: Tensor) -> Tensor:
        """``(P, ...)`` outputs from inputs ``(P, c, H, W)``, P >= 1, whose raters ``(P,)`` ascend."""
        counts = torch.bincount(rater, minlength=len(self.heads)).tolist()
        parts = torch.split(x, counts)  # one per rater, (p, c, H, W)
        return torch.cat([head(part) for head, part in zip(self.heads, parts, strict=True) if len(part)])


def convolutions(*channels: int) -> nn.Sequential:
    """3x3 convolutions from ``channels[0]`` to ``channels[-1]`` maps with ReLU between them."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(channels):
        layers += [nn.Conv2d(inner, outer, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])
