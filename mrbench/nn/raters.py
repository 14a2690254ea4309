"""Masks of several raters as networks take them; who is absent counts nothing."""

import torch
from torch import Tensor
from torch.nn import functional


def draw_rater(present: Tensor) -> Tensor:
    """``(B,)`` one of the present raters of each image, uniformly, from ``(B, R)`` bool; each row has a present one."""
    return torch.multinomial(present.float(), 1)[:, 0]


def pairs_of(present: Tensor, *, one: bool = False) -> tuple[Tensor, Tensor]:
    """Indices ``(P,)`` of images and of their present raters, from ``(B, R)`` bool; raters ascend.

    Args:
        one: a single rater of each image, drawn uniformly, in place of all.
    """
    if one:
        chosen = torch.multinomial(present.float() + 1e-12, 1)  # (B, 1); an image without any rater gives no pair
        present = present & (torch.arange(present.shape[1], device=present.device) == chosen)
    rater, image = present.T.nonzero(as_tuple=True)
    return image, rater


def mask_of(masks: Tensor, rater: Tensor) -> Tensor:
    """``(B, H, W)`` each image's mask by the rater named in ``(B,)``, from ``(B, R, H, W)``."""
    return masks[torch.arange(len(masks), device=masks.device), rater]


def label_shares(masks: Tensor, present: Tensor, classes: int) -> Tensor:
    """``(B, K, H, W)`` share of the present raters who gave each label, from ``(B, R, H, W)`` and ``(B, R)`` bool."""
    weights = present / present.sum(dim=1, keepdim=True)  # (B, R)
    labels = functional.one_hot(masks * present[:, :, None, None], classes)  # (B, R, H, W, K)
    return torch.einsum("brhwk,br->bkhw", labels.to(weights.dtype), weights)


def foreground(masks: Tensor, classes: int) -> Tensor:
    """``(..., K - 1, H, W)`` float indicators of the foreground classes, from ``(..., H, W)`` integers below K."""
    if classes == 2:
        return masks[..., None, :, :].float()
    return functional.one_hot(masks, classes)[..., 1:].movedim(-1, -3).float()
