"""Two terms that the 2026 thesis adds to stage I (table 4.4, rows 3 and 5); it gives no equations, these are ours."""

import torch
from torch import Tensor
from torch.nn import functional


def orthogonality(means: Tensor, present: Tensor) -> Tensor:
    """Squared cosine similarity of two raters' posterior means: mean over an image's pairs, then over the images.

    Squared, so that raters are driven to right angles and not to opposite ends. Raters at right angles cost 0, raters
    on one line through the origin 1. Images with fewer than two present raters count nothing; 0 without any other.

    Args:
        means: ``(B, R, Z)``; rows of absent raters carry no meaning.
        present: ``(B, R)`` bool.
    """
    unit = functional.normalize(means.masked_fill(~present[:, :, None], 0), dim=2)
    squared = (unit @ unit.mT).square() * _pairs(means.shape[1], means.device)  # (B, R, R); 0 for absent raters
    there = present.sum(dim=1)
    pairs = there * (there - 1) / 2  # (B,)
    return (squared.sum(dim=(1, 2)) / pairs.clamp_min(1)).sum() / (pairs > 0).sum().clamp_min(1)


def pairwise_dice(probability: Tensor) -> Tensor:
    """Dice of two samples: mean over the pairs of samples, the foreground classes and the images.

    The denominator is the sum of squares (Milletari et al. 2016, eq. 1), so that equal samples have Dice 1 however sure
    they are, and unsure samples are no way out. Two samples without any foreground have Dice 0.

    Args:
        probability: ``(B, S, F, H, W)``, S >= 2.
    """
    flat = probability.flatten(3).transpose(1, 2)  # (B, F, S, H W)
    overlap = flat @ flat.mT  # (B, F, S, S)
    square = overlap.diagonal(dim1=2, dim2=3)  # (B, F, S)
    dice = 2 * overlap / (square[..., None] + square[..., None, :]).clamp_min(1e-6)
    return dice[..., _pairs(flat.shape[2], flat.device)].mean()


def _pairs(number: int, device: torch.device) -> Tensor:
    # (n, n) bool: each pair once
    return torch.ones(number, number, dtype=torch.bool, device=device).triu(1)
