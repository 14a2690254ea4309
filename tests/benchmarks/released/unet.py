"""The U-Net with a ResNet-34 encoder as the usual library builds it; parameters under the names of ours."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.nn.encoder_decoder import DECODER
from mrbench.nn.resnet_unet import STAGES


class Block(nn.Module):
    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.downsample = None
        if stride != 1 or inner != outer:
            shortcut = nn.Conv2d(inner, outer, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outer))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)), inplace=True)))
        x += shortcut
        return functional.relu(x, inplace=True)


class Encoder(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inner = 64
        for number, (outer, blocks) in enumerate(STAGES, start=1):
            first = Block(inner, outer, 1 if number == 1 else 2)
            self.add_module(
                f"layer{number}", nn.Sequential(first, *(Block(outer, outer, 1) for _ in range(blocks - 1)))
            )
            inner = outer

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [functional.relu(self.bn1(self.conv1(x)), inplace=True)]
        x = functional.max_pool2d(maps[0], 3, 2, 1)
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            maps.append(x)
        return maps


class Up(nn.Module):
    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (
            nn.Sequential(nn.Conv2d(c, outer, 3, 1, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True))
            for c in (inner, outer)
        )

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        return self.conv2(self.conv1(x if skip is None else torch.cat([x, skip], dim=1)))


class UNet(nn.Module):
    """``(B, C, H, W)`` to ``(B, 16, H, W)``, H and W multiples of 32."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.encoder = Encoder(channels)
        inner = [512 + 256, 256 + 128, 128 + 64, 64 + 64, 32]
        self.decoder = nn.ModuleList(Up(i, o) for i, o in zip(inner, DECODER, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        *skips, x = self.encoder(x)
        for block, skip in zip(self.decoder, [*reversed(skips), None], strict=True):
            x = block(x, skip)
        return x


def like(ours: nn.Module, channels: int) -> UNet:
    """With the weights of our backbone."""
    network = UNet(channels)
    network.load_state_dict(ours.state_dict())
    return network
