"""The Dice loss that the releases call generalised, and their norm penalty."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def generalised_dice(logits: Tensor, target: Tensor) -> Tensor:
    """Of logits ``(B, c, H, W)``; a single channel gets its complement for a second one. The class weights cancel."""
    p, g = _flat(torch.sigmoid(logits)), _flat(target.float())
    if len(p) == 1:
        p, g = torch.cat((p, 1 - p), dim=0), torch.cat((g, 1 - g), dim=0)
    volume = g.sum(-1)
    weight = (1 / (volume * volume).clamp(min=1e-6)).detach()
    overlap = (p * g).sum(-1) * weight
    size = ((p + g).sum(-1) * weight).clamp(min=1e-6)
    return 1 - (2 * overlap / size).mean()


def _flat(x: Tensor) -> Tensor:
    return x.permute(1, 0, 2, 3).contiguous().view(x.shape[1], -1)


def norms(modules: Iterable[nn.Module]) -> Tensor:
    """Sum of the tensors' norms, one after another."""
    total: Tensor | None = None
    for module in modules:
        for parameter in module.parameters():
            total = parameter.norm(2) if total is None else total + parameter.norm(2)
    assert total is not None
    return total
