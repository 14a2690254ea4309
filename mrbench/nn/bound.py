"""The bound loss of D-Persona: what a set of samples spans against what the raters span."""

from torch import Tensor, cat

from mrbench.nn.losses import channel_dice_loss


def bound_loss(probability: Tensor, masks: Tensor, present: Tensor, valid: Tensor | None = None) -> Tensor:
    """Dice loss of the samples' largest and least probability against the raters' union and intersection.

    Wu et al., CVPR 2024, stage I, as released: over the whole batch, a channel for each bound and foreground class.

    Args:
        probability: ``(B, S, F, H, W)`` of the samples.
        masks: ``(B, R, F, H, W)`` float 0 or 1.
        present: ``(B, R)`` bool, at least one rater per image.
        valid: ``(B, H, W)`` bool, the pixels that count; None: all.
    """
    absent = ~present[:, :, None, None, None]
    union = masks.masked_fill(absent, 0).amax(dim=1)
    intersection = masks.masked_fill(absent, 1).amin(dim=1)
    bounds = cat([probability.amax(dim=1), probability.amin(dim=1)], dim=1)  # (B, 2 F, H, W)
    return channel_dice_loss(bounds, cat([union, intersection], dim=1), valid=valid)
