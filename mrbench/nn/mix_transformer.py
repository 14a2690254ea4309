"""MiT-B2, the Mix Transformer encoder of SegFormer (Xie et al., NeurIPS 2021, section 3.1 and table 6)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

STAGES = ((64, 3, 1, 8), (128, 4, 2, 4), (320, 6, 5, 2), (512, 3, 8, 1))
"""(channels, blocks, heads, reduction of the attention's keys) of the four stages of MiT-B2."""

EXPANSION = 4
DROP_PATH = 0.1
"""Probability that the last block of all is skipped for an image in training; it grows linearly from 0 at the first."""


class MixTransformer(nn.Module):
    """The encoder, its parameters under the names of the released weights: 24,196,288 with three channels.

    ``(B, C, H, W)`` to four maps: 64 channels at 1/4, 128 at 1/8, 320 at 1/16, 512 at 1/32. Sides are multiples of 32.

    Args:
        in_channels: C.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        depths = [depth for _, depth, _, _ in STAGES]
        rates = iter(torch.linspace(0, DROP_PATH, sum(depths)).tolist())
        inner = in_channels
        for number, (channels, depth, heads, reduction) in enumerate(STAGES, start=1):
            blocks = [Block(channels, heads, reduction, next(rates)) for _ in range(depth)]
            self.add_module(f"patch_embed{number}", PatchEmbedding(inner, channels, first=number == 1))
            self.add_module(f"block{number}", nn.Sequential(*blocks))
            self.add_module(f"norm{number}", _norm(channels))
            inner = channels
        self.apply(_start)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The four maps, finest first."""
        maps = []
        for number in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"patch_embed{number}")(x)
            x = self.get_submodule(f"block{number}")(x)
            x = as_maps(self.get_submodule(f"norm{number}")(as_tokens(x)), x.shape[-2:])
            maps.append(x)
        return maps


class PatchEmbedding(nn.Module):
    """Overlapping patches: ``(B, in, H, W)`` to ``(B, out, H / 4, W / 4)`` at first, then to half the sides."""

    def __init__(self, in_channels: int, out_channels: int, *, first: bool) -> None:
        super().__init__()
        kernel, stride = (7, 4) if first else (3, 2)
        self.proj = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """The patches, normalised."""
        x = self.proj(x)
        return as_maps(self.norm(as_tokens(x)), x.shape[-2:])


class Block(nn.Module):
    """Attention, then the Mix-FFN, each normalised before it and with a shortcut; ``(B, c, H, W)`` to the same."""

    def __init__(self, channels: int, heads: int, reduction: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.norm1 = _norm(channels)
        self.attn = EfficientAttention(channels, heads, reduction)
        self.norm2 = _norm(channels)
        self.mlp = MixFeedForward(channels)

    def forward(self, x: Tensor) -> Tensor:
        """x + attention + Mix-FFN."""
        size, tokens = x.shape[-2:], as_tokens(x)
        tokens = tokens + self._kept(self.attn(self.norm1(tokens), size))
        tokens = tokens + self._kept(self.mlp(self.norm2(tokens), size))
        return as_maps(tokens, size)

    def _kept(self, branch: Tensor) -> Tensor:
        # Stochastic depth (Huang et al. 2016): an image's branch is left out, the others are scaled up for it
        if not self.training or self.drop == 0:
            return branch
        kept = torch.rand(len(branch), 1, 1, device=branch.device) >= self.drop
        return branch * kept / (1 - self.drop)


class EfficientAttention(nn.Module):
    """Self-attention whose keys and values are ``reduction`` times coarser along each side, eq. 1 and 2."""

    def __init__(self, channels: int, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads, self.reduction = heads, reduction
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.proj = nn.Linear(channels, channels)
        if reduction > 1:
            self.sr = nn.Conv2d(channels, channels, reduction, reduction)
            self.norm = nn.LayerNorm(channels)

    def forward(self, tokens: Tensor, size: torch.Size) -> Tensor:
        """``(B, H W, c)`` to the same; ``size`` is (H, W)."""
        key, value = self.kv(self._coarser(tokens, size)).chunk(2, dim=2)
        query, key, value = (self._by_head(x) for x in (self.q(tokens), key, value))
        found = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(found.transpose(1, 2).flatten(2))
        return out

    def _by_head(self, x: Tensor) -> Tensor:
        # (B, heads, n, c / heads)
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def _coarser(self, tokens: Tensor, size: torch.Size) -> Tensor:
        if self.reduction == 1:
            return tokens
        out: Tensor = self.norm(as_tokens(self.sr(as_maps(tokens, size))))
        return out


class MixFeedForward(nn.Module):
    """Two linear layers with a 3x3 convolution per channel between them, which tells positions apart, eq. 3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = EXPANSION * channels
        self.fc1 = nn.Linear(channels, hidden)
        self.dwconv = _ChannelConvolution(hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor, size: torch.Size) -> Tensor:
        """``(B, H W, c)`` to the same; ``size`` is (H, W)."""
        mixed = as_tokens(self.dwconv(as_maps(self.fc1(tokens), size)))
        out: Tensor = self.fc2(functional.gelu(mixed))
        return out


class _ChannelConvolution(nn.Module):
    # A module of its own for the released name, mlp.dwconv.dwconv
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dwconv(x)
        return out


def as_tokens(maps: Tensor) -> Tensor:
    """``(B, H W, c)`` from ``(B, c, H, W)``."""
    return maps.flatten(2).transpose(1, 2)


def as_maps(tokens: Tensor, size: torch.Size) -> Tensor:
    """The inverse of :func:`as_tokens` for maps of ``size`` (H, W)."""
    return tokens.transpose(1, 2).reshape(len(tokens), -1, *size)


def _norm(channels: int) -> nn.LayerNorm:
    return nn.LayerNorm(channels, eps=1e-6)


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        fan_out = module.weight[0, 0].numel() * module.out_channels // module.groups
        nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5)
        assert module.bias is not None
        nn.init.zeros_(module.bias)
