"""What stands for -log p(y|x, z) in objectives whose papers leave the form of p open, and what goes by its scale."""

from collections.abc import Mapping
from math import log

from torch import Tensor

from mrbench.nn.losses import log_likelihood


def negative_log_likelihood(logits: Tensor, masks: Tensor, present: Tensor, valid: Tensor | None = None) -> Tensor:
    """The mean over the present masks of -log p(y), in nats: a sum over pixels, which are taken as independent.

    Args:
        logits: ``(B, ..., L, H, W)``.
        masks: ``(B, ..., H, W)`` integers below K, where they count.
        present: ``(B, ...)`` bool; 0 where none is.
        valid: ``(B, H, W)`` bool, the pixels that count; None: all.
    """
    if valid is not None:
        valid = valid.view(len(valid), *(1,) * (masks.ndim - valid.ndim), *valid.shape[-2:]).expand_as(masks)
    each = log_likelihood(logits, masks * present[..., None, None], valid)  # (B, ...)
    return -(each * present).sum() / present.sum().clamp_min(1)


def unit_of(likelihood: str, masks: Tensor, classes: int) -> float:
    """What a penalty between 0 and 1 is multiplied by, so that its weight means the same under each likelihood.

    About the likelihood term at the start: 1 of a Dice loss; ``H W ln K`` nats of a sum over the pixels of masks
    ``(..., H, W)``, void ones included, where every class is as likely. It follows from the size of the data alone: the
    same in every step, and in a training that is resumed.
    """
    return 1.0 if likelihood == "dice" else masks.shape[-2] * masks.shape[-1] * log(classes)


def told_in_nats(divergence: Tensor, weight: float, valid: Tensor) -> Mapping[str, Tensor]:
    """What curves keep beside the terms of a sum: the divergence without its weight, and beta per pixel.

    Beta per pixel is the weight that the divergence has beside the mean log likelihood of a pixel: ``weight`` divided
    by the pixels of an image that count, on average; by one where none does.

    Args:
        divergence: in nats, scalar.
        weight: that it has beside the sum.
        valid: ``(B, H, W)`` bool, the pixels that count.
    """
    return {"_kl": divergence.detach(), "_beta_per_pixel": weight * len(valid) / valid.sum().clamp_min(1)}
