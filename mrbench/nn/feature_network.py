"""What every backbone has in common: any image size in, feature maps of the same size out."""

from abc import ABC, abstractmethod

from torch import Tensor
from torch.nn import functional

from mrbench.nn.convolutional import Convolutional


class FeatureNetwork(Convolutional, ABC):
    """A network from ``(B, C, H, W)`` to ``(B, out_channels, H, W)``.

    Images whose sides are no multiple of ``multiple`` are padded by repeating their border, evenly on both sides, and
    the maps are cropped back.

    Attributes:
        out_channels: number of feature maps.
        multiple: of which the network's own input sides must be.
        least: the smallest side that the network takes.
    """

    out_channels: int
    multiple: int
    least: int

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """``(B, out_channels, H, W)`` where H and W are multiples of ``multiple`` and at least ``least``."""

    def forward(self, x: Tensor) -> Tensor:
        """``(B, out_channels, H, W)`` from ``(B, C, H, W)``."""
        x, rows, columns = padded(x, self.multiple, self.least)
        return self.convolved(self.features, x)[..., rows, columns]


def padded(x: Tensor, multiple: int, least: int) -> tuple[Tensor, slice, slice]:
    """``(B, C, H', W')`` with sides that networks take, the border repeated on both sides, and where x lies in it."""
    height, width = x.shape[-2:]
    top, bottom = _padding(height, multiple, least)
    left, right = _padding(width, multiple, least)
    if top + bottom + left + right:
        x = functional.pad(x, (left, right, top, bottom), mode="replicate")
    return x, slice(top, top + height), slice(left, left + width)


def _padding(side: int, multiple: int, least: int) -> tuple[int, int]:
    missing = max(least, -(-side // multiple) * multiple) - side
    return missing // 2, missing - missing // 2
