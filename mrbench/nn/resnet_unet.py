"""The U-Net with a ResNet-34 encoder that the published methods share, without a segmentation head."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.nn.encoder_decoder import EncoderDecoder

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""(channels, residual blocks) of the four stages of ResNet-34 (He et al. 2016, table 1)."""

RGB = 3
"""Channels of the images that the network was published for."""


class ResNetUNet(EncoderDecoder):
    """ResNet-34 encoder, five decoder levels of 256, 128, 64, 32 and 16 maps; the last level has no skip connection.

    24,429,952 parameters with one input channel.

    Args:
        in_channels: C.
    """

    least = 64  # BatchNorm needs two pixels at 1/32 to train on a batch of one

    def __init__(self, in_channels: int) -> None:
        super().__init__(ResNet34(in_channels), (64, *(channels for channels, _ in STAGES)))


class ResNet34(nn.Module):
    """The encoder, its parameters under ResNet's usual names.

    ``(B, C, H, W)`` to five maps: 64 channels at 1/2, 64 at 1/4, 128 at 1/8, 256 at 1/16, 512 at 1/32. Weights start
    from He et al. 2015 by their outputs; those of a first convolution for other than three channels from the default
    of a convolution, as in the library that the releases build it with.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inner = 64
        for number, (channels, blocks) in enumerate(STAGES, start=1):
            first = ResidualBlock(inner, channels, stride=1 if number == 1 else 2)
            rest = [ResidualBlock(channels, channels) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(first, *rest))
            inner = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if in_channels != RGB:
            self.conv1.reset_parameters()

    def forward(self, x: Tensor) -> list[Tensor]:
        """The five maps, finest first."""
        x = torch.relu(self.bn1(self.conv1(x)))
        return [x, *self.after_stem(x)]

    def after_stem(self, x: Tensor) -> list[Tensor]:
        """The maps of the four stages, from the first at half the resolution."""
        maps = []
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        for number in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
            maps.append(x)
        return maps


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut: ``(B, in, H, W)`` to ``(B, out, H / stride, W / stride)``."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            shortcut = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """relu(F(x) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + shortcut)
