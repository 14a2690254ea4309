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
        height, width = x.shape[-2:]
        top, bottom = self._padding(height)
        left, right = self._padding(width)
        if top + bottom + left + right:
            x = functional.pad(x, (left, right, top, bottom), mode="replicate")
        return self.convolved(self.features, x)[..., top : top + height, left : left + width]

    def _padding(self, side: int) -> tuple[int, int]:
        missing = max(self.least, -(-side // self.multiple) * self.multiple) - side
        return missing // 2, missing - missing // 2
