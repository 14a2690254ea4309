"""What a set of samples spans at every pixel, for the price of two samples' gradients."""

import torch
from torch import Tensor

from mrbench.nn.fcomb import Fcomb
from mrbench.nn.losses import logits_to_probability


def spanning(head: Fcomb, maps: Tensor, vectors: Tensor, classes: int) -> Tensor:
    """Foreground probabilities whose largest and least at every pixel are those of all S samples.

    Only a pixel's largest and least sample have a gradient. With two classes they are found first, without gradients
    and image by image, and computed again: ``(B, 2, 1, H, W)``. With more classes all samples are returned,
    ``(B, S, F, H, W)``. Of equal samples the first has the gradient.

    Args:
        head: of the samples.
        maps: ``(B, maps, H, W)``.
        vectors: ``(B, S, vector)``.
        classes: K.
    """
    if classes > 2 or vectors.shape[1] < 3:
        return _foreground(head(maps, vectors), classes)
    with torch.no_grad():
        each = (head(maps[i : i + 1], vectors[i : i + 1])[0, :, 0] for i in range(len(maps)))
        logits = torch.stack(list(each))  # (B, S, H, W)
        choice = torch.stack([logits.argmax(dim=1), logits.argmin(dim=1)], dim=1)  # (B, 2, H, W)
    return _foreground(head.chosen(maps, vectors, choice), classes)


def _foreground(logits: Tensor, classes: int) -> Tensor:
    return logits_to_probability(logits, classes)[:, :, 1:]
