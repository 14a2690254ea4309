"""Samples that have a probability's marginals and one number in common: its level sets."""

from torch import Tensor
from torch.nn import functional


def level_sets(probability: Tensor, level: Tensor) -> Tensor:
    """One-hot masks ``(S, N, K, H, W)``: the class in whose share of [0, 1] a level lies, pixel by pixel.

    At every pixel the classes' probabilities divide [0, 1], the background's first. Of two classes the foreground is
    where p > 1 - level. With a uniform level each pixel has each class as often as its probability says, and the masks
    of two levels are nested (the comonotone coupling).

    Args:
        probability: ``(N, K, H, W)``.
        level: ``(S, N)`` in [0, 1], the same for all pixels of a slice.
    """
    ends = probability.cumsum(dim=-3)[..., :-1, :, :]  # (N, K - 1, H, W)
    labels = (level[..., None, None, None] > ends).sum(dim=-3)  # (S, N, H, W)
    return functional.one_hot(labels, probability.shape[-3]).movedim(-1, -3).to(probability.dtype)
