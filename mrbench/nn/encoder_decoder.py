"""An encoder of maps at falling resolution, and the decoder of the U-Net that the published methods share."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.nn.feature_network import FeatureNetwork

DECODER = (256, 128, 64, 32, 16)


class EncoderDecoder(FeatureNetwork):
    """Five decoder levels over an encoder; those for which the encoder has no map have no skip connection.

    Args:
        encoder: ``(B, C, H, W)`` to maps, finest first, each half as large as the one before, the deepest at 1/32.
        channels: of the encoder's maps.
    """

    out_channels = DECODER[-1]
    multiple = 32

    def __init__(self, encoder: nn.Module, channels: Sequence[int]) -> None:
        super().__init__()
        self.encoder = encoder
        *skips, deepest = channels
        deep = (deepest, *DECODER[:-1])
        skip = (*reversed(skips), *(0 for _ in range(len(DECODER) - len(skips))))
        self.decoder = nn.ModuleList(
            DecoderBlock(inner + side, outer) for inner, side, outer in zip(deep, skip, DECODER, strict=True)
        )

    def features(self, x: Tensor) -> Tensor:
        """``(B, 16, H, W)`` from ``(B, C, H, W)``."""
        *skips, x = self.encoder(x)
        for block in self.decoder:
            x = block(x, skips.pop() if skips else None)
        return x


class DecoderBlock(nn.Module):
    """Doubles the resolution, joins the skip connection and convolves twice: ``(B, out, 2 H, 2 W)``."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = _convolution(in_channels, out_channels)
        self.conv2 = _convolution(out_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """``x`` is ``(B, c, H, W)``, ``skip`` ``(B, in - c, 2 H, 2 W)`` or None."""
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        if skip is not None:
            x = torch.cat([x, skip], dim=1)
        out: Tensor = self.conv2(self.conv1(x))
        return out


def _convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    nn.init.kaiming_uniform_(conv.weight, mode="fan_in", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))
