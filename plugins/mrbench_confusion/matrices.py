"""Confusion matrices of the raters: one for all pixels (Tanno et al. 2019), or one for each (Zhang et al. 2020).

Entry (i, j) is the probability that the rater says i where the truth is j: columns sum to one. P counts pairs of an
image and a rater.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.nn.per_rater import PerRater


def columns_sum_to_one(matrix: Tensor) -> Tensor:
    """``(P, K, K, ...)`` from positive entries."""
    return matrix / matrix.sum(dim=1, keepdim=True)


def start(classes: int, diagonal: float, off_diagonal: float) -> Tensor:
    """``(K, K)`` entries before softplus: near the identity after it, so that the network learns the truth first."""
    return torch.full((classes, classes), off_diagonal).fill_diagonal_(diagonal)


class GlobalMatrices(nn.Module):
    """A matrix for each rater, the same at every pixel of every image; free parameters."""

    def __init__(self, raters: int, first: Tensor) -> None:
        super().__init__()
        self.entries = nn.Parameter(first.expand(raters, -1, -1).clone())

    def forward(self, features: Tensor, rater: Tensor) -> Tensor:
        """``(P, K, K, 1, 1)`` for raters ``(P,)``; the features ``(P, 16, H, W)`` are not looked at."""
        return columns_sum_to_one(functional.softplus(self.entries))[rater][..., None, None]


class PixelMatrices(nn.Module):
    """A matrix for each rater and pixel, by a small network of each rater's on the backbone's maps."""

    def __init__(self, raters: int, maps: int, first: Tensor) -> None:
        super().__init__()
        self.classes = len(first)
        self.heads = PerRater(lambda: _head(maps, first.flatten()), raters)

    def forward(self, features: Tensor, rater: Tensor) -> Tensor:
        """``(P, K, K, H, W)`` from maps ``(P, 16, H, W)`` and raters ``(P,)``, ascending."""
        entries: Tensor = self.heads(features, rater)  # (P, K K, H, W)
        shape = (len(entries), self.classes, self.classes, *entries.shape[2:])
        return columns_sum_to_one(functional.softplus(entries).view(shape))


class LowRankMatrices(nn.Module):
    """The same with matrices U V + s I, where U and V have the given rank; every part is positive."""

    def __init__(self, raters: int, maps: int, classes: int, rank: int, diagonal: float, off_diagonal: float) -> None:
        super().__init__()
        self.classes, self.rank = classes, rank
        # U V starts at rank x softplus(u)^2 in every entry: u such that this is softplus(off_diagonal).
        entry = (functional.softplus(torch.tensor(off_diagonal)) / rank).sqrt()
        first = torch.cat([torch.full((2 * classes * rank,), float(entry.expm1().log())), torch.tensor([diagonal])])
        self.heads = PerRater(lambda: _head(maps, first), raters)

    def forward(self, features: Tensor, rater: Tensor) -> Tensor:
        """``(P, K, K, H, W)`` from maps ``(P, 16, H, W)`` and raters ``(P,)``, ascending."""
        parts = functional.softplus(self.heads(features, rater))  # (P, 2 K rank + 1, H, W)
        shape = (len(parts), 2, self.classes, self.rank, *parts.shape[2:])
        u, v = parts[:, :-1].reshape(shape).unbind(1)  # (P, K, rank, H, W) each
        identity = torch.eye(self.classes, device=parts.device)[..., None, None]
        return columns_sum_to_one(torch.einsum("pirhw,pjrhw->pijhw", u, v) + parts[:, None, -1:] * identity)


def said(matrices: Tensor, truth: Tensor) -> Tensor:
    """``(P, K, H, W)`` what raters with matrices ``(P, K, K, H, W)`` say where the truth is ``(P, K, H, W)``."""
    return torch.einsum("pijhw,pjhw->pihw", matrices.expand(-1, -1, -1, *truth.shape[2:]), truth)


def _head(maps: int, first: Tensor) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(4):
        layers += [nn.Conv2d(maps, maps, 3, padding=1, bias=False), nn.InstanceNorm2d(maps, affine=True), nn.PReLU()]
    last = nn.Conv2d(maps, len(first), 1)
    nn.init.normal_(last.weight, std=0.01)
    assert last.bias is not None
    last.bias.data.copy_(first)
    return nn.Sequential(*layers, last)
