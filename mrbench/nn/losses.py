"""Segmentation losses on logits for K classes, and the Dirichlet divergence.

Two classes take one logit per pixel (of the foreground), K > 2 classes take K. Leading axes are free: ``(B, R, ...)``
with a presence table, or ``(P, ...)`` for a list of masks. An absent rater's mask is never looked at, nor are labels of
void pixels: ``valid`` is :attr:`~mrbench.interfaces.method.Batch.counted`, or that of the masks' images.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


def logit_channels(classes: int) -> int:
    """Logits per pixel for K classes."""
    return 1 if classes == 2 else classes


def start_from_background(layer: nn.Module, log_odds: float, logits: int | None = None) -> None:
    """Sets the bias of the layer that gives the logits so that before training the background is that much likelier.

    Where the foreground is small, a network that starts undecided first learns where the background is and may rest
    there, its foreground capped below one half; one that starts from the background learns the foreground from the
    first step on. 0 changes nothing: equal logits. With K > 2 classes each foreground class starts at those odds.
    ``logits``: how many of the layer's first outputs are logits; None: all.
    """
    bias = layer.get_parameter("bias")
    with torch.no_grad():
        bias[0] += -log_odds if (logits or len(bias)) == 1 else log_odds


def logits_to_probability(logits: Tensor, classes: int) -> Tensor:
    """``(..., K, H, W)`` probabilities from logits ``(..., logit_channels(K), H, W)``."""
    if classes == 2:
        return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=-3)
    return logits.softmax(dim=-3)


def cross_entropy(logits: Tensor, masks: Tensor, present: Tensor | None = None, valid: Tensor | None = None) -> Tensor:
    """Mean cross-entropy over the pixels of all present masks that count; 0 where there is none.

    Args:
        logits: ``(..., L, H, W)``.
        masks: ``(..., H, W)`` integers below K, where they count.
        present: ``(...)`` bool; None: all.
        valid: bool, the pixels that count: ``(..., H, W)``, or ``(B, H, W)`` for all masks ``(B, R, H, W)`` of an
            image; None: all.
    """
    logits, masks, weights = _present_only(logits, masks, present, valid)
    reduction = "sum" if weights is None else "none"
    if logits.shape[1] == 1:
        total = functional.binary_cross_entropy_with_logits(logits[:, 0], masks.to(logits.dtype), reduction=reduction)
    else:
        total = functional.cross_entropy(logits, masks, reduction=reduction)
    return total / max(masks.numel(), 1) if weights is None else weighted_mean(total, weights)


def weighted_mean(values: Tensor, valid: Tensor | None) -> Tensor:
    """The mean of values ``(P, H, W)`` over pixels that count, ``(P, H, W)`` bool, or all; 0 where none does."""
    if valid is None:
        return values.mean()
    return (values * valid).sum() / valid.sum().clamp_min(1)


def soft_cross_entropy(logits: Tensor, shares: Tensor, valid: Tensor | None) -> Tensor:
    """Mean cross-entropy with class shares ``(B, K, H, W)`` over the pixels that count; 0 where there is none.

    Args:
        logits: ``(B, L, H, W)``.
        valid: ``(B, H, W)`` bool, the pixels that count; None: all.
    """
    if logits.shape[1] == 1:
        each = functional.binary_cross_entropy_with_logits(logits[:, 0], shares[:, 1], reduction="none")
    else:
        each = functional.cross_entropy(logits, shares, reduction="none")
    return weighted_mean(each, valid)


def log_likelihood(logits: Tensor, masks: Tensor, valid: Tensor | None) -> Tensor:
    """``(...)`` log p(y) of whole masks, summed over their pixels that count.

    Args:
        logits: ``(..., L, H, W)``.
        masks: ``(..., H, W)`` integers below K, where they count; leading axes broadcast.
        valid: ``(..., H, W)`` bool, the pixels that count; None: all.
    """
    masks = masks if valid is None else masks * valid
    if logits.shape[-3] == 1:
        each = functional.logsigmoid(torch.where(masks > 0, logits[..., 0, :, :], -logits[..., 0, :, :]))
    else:
        y = masks.unsqueeze(-3).expand(*logits.shape[:-3], 1, *masks.shape[-2:])
        each = logits.log_softmax(dim=-3).gather(-3, y)[..., 0, :, :]
    return (each if valid is None else each * valid).sum(dim=(-2, -1))


def batch_dice_loss(
    logits: Tensor, masks: Tensor, present: Tensor | None = None, valid: Tensor | None = None
) -> Tensor:
    """1 - the mean over the K classes of the Dice of all present masks taken together (background included).

    This is what the "generalised" Dice loss of the released D-Persona, Pionono and ProSeg computes, because its class
    weights cancel. A class that no mask holds has Dice 0, without gradient. Arguments as in :func:`cross_entropy`.
    """
    probability, target, weights = _one_hot_pairs(logits, masks, present, valid)
    return channel_dice_loss(probability, target, valid=weights)


def probability_dice_loss(probability: Tensor, masks: Tensor, valid: Tensor | None = None) -> Tensor:
    """:func:`batch_dice_loss` of probabilities ``(P, K, H, W)`` against masks ``(P, H, W)``."""
    masks = masks if valid is None else masks * valid
    target = functional.one_hot(masks, probability.shape[1]).movedim(-1, 1).to(probability.dtype)
    return channel_dice_loss(probability, target, valid=valid)


def channel_dice_loss(
    probability: Tensor, target: Tensor, counted: Tensor | None = None, valid: Tensor | None = None
) -> Tensor:
    """1 - the mean over the channels of the Dice of a channel's pixels in the whole batch; 0 without any channel.

    Args:
        probability, target: ``(B, c, H, W)``; a channel without any target has Dice 0, without gradient.
        counted: ``(B, c)`` bool, which images count in which channel; a channel that no image counts in is left out.
            None: all.
        valid: ``(B, H, W)`` bool, the pixels that count; None: all.
    """
    probability, target = only_counted(probability, valid), only_counted(target, valid)
    if counted is not None:
        probability, target = (values * counted[..., None, None] for values in (probability, target))
    overlap = (probability * target).sum(dim=(0, 2, 3))  # (c,)
    size = (probability + target).sum(dim=(0, 2, 3))  # (c,)
    dice = 2 * overlap / size.clamp_min(1e-6)
    return (1 - dice).mean() if counted is None else (1 - dice)[counted.any(dim=0)].sum() / counted.any(dim=0).sum()


def only_counted(values: Tensor, valid: Tensor | None) -> Tensor:
    """Values ``(B, ..., H, W)`` with 0 in pixels that do not count, by ``(B, H, W)`` bool; None: as they are."""
    return values if valid is None else values * valid.view(len(valid), *(1,) * (values.ndim - 3), *valid.shape[1:])


def image_dice_loss(
    logits: Tensor,
    masks: Tensor,
    present: Tensor | None = None,
    smoothing: float = 1.0,
    valid: Tensor | None = None,
) -> Tensor:
    """1 - the mean over present masks and foreground classes of each mask's own Dice; 0 where none is present.

    ``smoothing`` pixels are added above and below, so that an empty prediction of an empty mask has Dice 1.
    Arguments as in :func:`cross_entropy`.
    """
    probability, target, weights = _one_hot_pairs(logits, masks, present, valid)  # (P, K, H, W) twice, (P, H, W)
    probability, target = only_counted(probability, weights), only_counted(target, weights)
    overlap = (probability * target)[:, 1:].sum(dim=(2, 3))  # (P, K - 1)
    size = (probability + target)[:, 1:].sum(dim=(2, 3))  # (P, K - 1)
    loss = 1 - (2 * overlap + smoothing) / (size + smoothing)
    return loss.sum() / max(loss.numel(), 1)


def dirichlet_kl(concentration: Tensor, prior: Tensor | float = 1.0) -> Tensor:
    """KL(Dir(concentration) || Dir(prior)) over the last axis, ``(...)`` from ``(..., T)``, unreduced.

    ``prior`` is one concentration for all T dimensions or ``(..., T)``; 1 is the uniform distribution.
    """
    prior = torch.as_tensor(prior, dtype=concentration.dtype, device=concentration.device).expand_as(concentration)
    total = concentration.sum(-1)
    normaliser = total.lgamma() - prior.sum(-1).lgamma() - (concentration.lgamma() - prior.lgamma()).sum(-1)
    expected = concentration.digamma() - total.digamma().unsqueeze(-1)  # E[log tau], (..., T)
    return normaliser + ((concentration - prior) * expected).sum(-1)


def _present_only(
    logits: Tensor, masks: Tensor, present: Tensor | None, valid: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    # (P, L, H, W), (P, H, W) and maybe (P, H, W): one row per present mask, labels 0 in pixels that do not count
    if valid is not None:
        valid = valid.view(*valid.shape[:-2], *(1,) * (masks.ndim - valid.ndim), *valid.shape[-2:]).expand_as(masks)
        masks = masks * valid
    if present is None:
        return logits.flatten(0, -4), masks.flatten(0, -3), None if valid is None else valid.flatten(0, -3)
    return logits[present], masks[present], None if valid is None else valid[present]


def _one_hot_pairs(
    logits: Tensor, masks: Tensor, present: Tensor | None, valid: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    logits, masks, weights = _present_only(logits, masks, present, valid)
    classes = 2 if logits.shape[1] == 1 else logits.shape[1]
    probability = logits_to_probability(logits, classes)
    target = functional.one_hot(masks, classes).movedim(-1, 1).to(probability.dtype)
    return probability, target, weights
