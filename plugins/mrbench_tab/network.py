"""TAB's network: an encoder, attention between R + 1 queries and the image, a mask head for each query.

Q = R + 1 counts the queries, E the channels of tokens, T the tokens of the coarsest map.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mrbench.nn.backbone import Backbone, refuse_weights
from mrbench.nn.feature_network import FeatureNetwork
from mrbench.nn.pretrained import load_resnet34_weights
from mrbench.nn.resnet_unet import STAGES, ResNet34
from mrbench_tab.config import TransformerOptions


class StridedEncoder(nn.Module):
    """A small encoder: maps of ``width * 2^level`` channels at 1/2, 1/4, ... of the image, finest first."""

    def __init__(self, in_channels: int, width: int, depth: int) -> None:
        super().__init__()
        self.widths = tuple(width * 2**level for level in range(depth))
        self.levels = nn.ModuleList(_level(inner, outer) for inner, outer in pairwise((in_channels, *self.widths)))

    def forward(self, x: Tensor) -> list[Tensor]:
        """``(B, C, H, W)`` to ``depth`` maps."""
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return maps


def _level(inner: int, outer: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number in range(2):
        convolution = nn.Conv2d(outer if number else inner, outer, 3, stride=1 + number, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outer), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class RawStem(ResNet34):
    """ResNet-34 whose finest map is what the first convolution gives, before normalisation and ReLU."""

    def forward(self, x: Tensor) -> list[Tensor]:
        """The five maps, finest first."""
        raw = self.conv1(x)
        return [raw, *self.after_stem(torch.relu(self.bn1(raw)))]


def build_encoder(config: Backbone, in_channels: int) -> tuple[nn.Module, tuple[int, ...]]:
    """The encoder, and the channels of its maps, finest first.

    Raises:
        UsageError: the weights file is missing or not ResNet-34's, or weights are given for another encoder.
    """
    if config.name == "resnet34":
        resnet = RawStem(in_channels)
        if config.weights is not None:
            load_resnet34_weights(resnet, config.weights)
        return resnet, (64, *(channels for channels, _ in STAGES))
    refuse_weights(config)
    encoder = StridedEncoder(in_channels, config.width, config.depth - 1)
    return encoder, encoder.widths


def sine_position(height: int, width: int, channels: int) -> Tensor:
    """``(H W, channels)`` sines and cosines of the rows (first half) and columns at geometric frequencies."""
    frequency = 10_000 ** (-torch.arange(channels // 4) * 4 / channels)
    rows = _waves(height, frequency)[:, None].expand(-1, width, -1)
    columns = _waves(width, frequency)[None].expand(height, -1, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1)


def _waves(length: int, frequency: Tensor) -> Tensor:
    # (length, 2 f): the places are scaled to a full turn
    angle = 2 * math.pi / length * torch.arange(1, length + 1)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)


class Block(nn.Module):
    """Attention, then two linear layers, each with a shortcut and normalised after it."""

    def __init__(self, options: TransformerOptions, *, crosses: bool) -> None:
        super().__init__()
        width, dropout = options.width, options.dropout
        self.own = nn.MultiheadAttention(width, options.heads, dropout, batch_first=True)
        self.cross = nn.MultiheadAttention(width, options.heads, dropout, batch_first=True) if crosses else None
        self.feedforward = nn.Sequential(
            nn.Linear(width, options.feedforward), nn.ReLU(), nn.Dropout(dropout), nn.Linear(options.feedforward, width)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if crosses else 2))
        self.dropout = nn.Dropout(dropout)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(
        self, x: Tensor, position: Tensor, memory: Tensor | None = None, places: Tensor | None = None
    ) -> Tensor:
        """``(B, n, E)``; positions enter queries and keys, never values. ``memory``: ``(B, T, E)`` to attend to."""
        norms = iter(self.norms)
        placed = x + position
        x = next(norms)(x + self.dropout(self.own(placed, placed, x, need_weights=False)[0]))
        if self.cross is not None and memory is not None and places is not None:
            found = self.cross(x + position, memory + places, memory, need_weights=False)[0]
            x = next(norms)(x + self.dropout(found))
        out: Tensor = next(norms)(x + self.dropout(self.feedforward(x)))
        return out


class AttentionMaps(nn.Module):
    """Where each query looks: ``(B, Q, heads, H, W)``, softmax over heads and places together.

    A query's maps sum to one; scaled, their mean is one.
    """

    def __init__(self, options: TransformerOptions, *, scaled: bool) -> None:
        super().__init__()
        self.heads, self.scaled = options.heads, scaled
        self.query = nn.Linear(options.width, options.width)
        self.key = nn.Conv2d(options.width, options.width, 1)
        for projection in (self.query, self.key):
            nn.init.xavier_uniform_(projection.weight)
            nn.init.zeros_(projection.get_parameter("bias"))

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """From queries ``(B, Q, E)`` and maps ``(B, E, H, W)``."""
        batch, number, width = queries.shape
        q = self.query(queries).view(batch, number, self.heads, width // self.heads)
        k = self.key(memory).view(batch, self.heads, width // self.heads, *memory.shape[2:])
        scores = torch.einsum("bqne,bnehw->bqnhw", q * (width / self.heads) ** -0.5, k)
        maps = scores.flatten(2).softmax(dim=2)
        return (maps * maps.shape[2] if self.scaled else maps).view_as(scores)


class UpBlock(nn.Module):
    """Doubles the resolution beside a skip connection: ``(B, in, H, W)`` to ``(B, 2 width, 2 H, 2 W)``."""

    def __init__(self, in_channels: int, skip: int, width: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, width, 2, stride=2)
        self.skip = nn.Conv2d(skip, width, 1)
        self.norm = nn.BatchNorm2d(2 * width)
        nn.init.kaiming_uniform_(self.skip.weight, a=1)
        nn.init.zeros_(self.skip.get_parameter("bias"))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """``skip``: ``(B / Q, c, 2 H, 2 W)``, the same for all queries of an image."""
        beside = self.skip(skip).repeat_interleave(len(x) // len(skip), dim=0)
        out: Tensor = self.norm(torch.relu(torch.cat([self.up(x), beside], dim=1)))
        return out


class QueryNetwork(FeatureNetwork):
    """``(B, C, H, W)`` to ``(B, Q outputs, H, W)``: ``outputs`` maps for each query.

    The mask head decodes the encoder's coarsest map, projected, which all queries of an image share, beside the query's
    attention maps; what the transformer makes of that map is only looked at (Liao et al. 2023; as DETR's mask head).

    Args:
        backbone: of the encoder.
        options: of attention and mask head.
        in_channels: C.
        queries: Q; query 0 stands for all raters together.
        outputs: maps per query.
        scaled: have a query's attention maps a mean of one?
    """

    memory_format = torch.contiguous_format  # its mask heads gain nothing from the other

    def __init__(
        self,
        backbone: Backbone,
        options: TransformerOptions,
        in_channels: int,
        queries: int,
        outputs: int,
        *,
        scaled: bool = False,
    ) -> None:
        super().__init__()
        self.encoder, widths = build_encoder(backbone, in_channels)
        self.out_channels, self.multiple, self.least = queries * outputs, 2 ** len(widths), 2 ** (len(widths) + 1)
        self.options = options
        self.reduce = nn.Conv2d(widths[-1], options.width, 1)
        self.queries = nn.Parameter(torch.randn(queries, options.width))
        self.encode = Block(options, crosses=False)
        self.decode = Block(options, crosses=True)
        self.norm = nn.LayerNorm(options.width)
        self.maps = AttentionMaps(options, scaled=scaled)
        self.ups = _up_blocks(options, widths)
        inner = 2 * options.head_width if len(self.ups) else options.width + options.heads
        self.last = nn.Sequential(
            nn.ConvTranspose2d(inner, options.last_width, 2, stride=2), nn.BatchNorm2d(options.last_width), nn.ReLU()
        )
        self.outputs = nn.Conv2d(options.last_width, outputs, 1)

    def features(self, x: Tensor) -> Tensor:
        """``(B, Q outputs, H, W)``."""
        *skips, deep = self.encoder(x)
        deep = self.reduce(deep)  # (B, E, h, w)
        attended = self._attend(deep)  # (B, Q, heads, h, w)
        queries = attended.shape[1]
        own = torch.cat([deep[:, None].expand(-1, queries, -1, -1, -1), attended], dim=2).flatten(0, 1)
        own = torch.relu(own)  # (B Q, E + heads, h, w)
        for up in self.ups:
            own = up(own, skips.pop())
        return self.outputs(self.last(own)).view(len(x), -1, *x.shape[2:])

    def _attend(self, deep: Tensor) -> Tensor:
        places = sine_position(deep.shape[2], deep.shape[3], deep.shape[1]).to(deep)[None]  # (1, T, E)
        memory = self.encode(deep.flatten(2).mT, places)  # (B, T, E)
        position = self.queries.expand(len(deep), -1, -1)  # (B, Q, E)
        found = self.norm(self.decode(torch.zeros_like(position), position, memory, places))
        maps: Tensor = self.maps(found, memory.mT.reshape(deep.shape))
        return maps


def _up_blocks(options: TransformerOptions, widths: Sequence[int]) -> nn.ModuleList:
    inner = [options.width + options.heads, *[2 * options.head_width] * (len(widths) - 2)]
    skips = list(reversed(widths[:-1]))
    return nn.ModuleList(UpBlock(i, skip, options.head_width) for i, skip in zip(inner, skips, strict=True))
