"""Augmentation of training batches on the device: what the data set allows, and nothing else."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from mrbench.data.description import Augmentation
from mrbench.interfaces.method import Batch


def augment(batch: Batch, allowed: tuple[Augmentation, ...]) -> Batch:
    """The batch with each allowed change drawn anew per image from torch's global generator."""
    for name in allowed:
        batch = CHANGES[name](batch)
    return batch


def flip(batch: Batch) -> Batch:
    """Each axis with probability one half."""
    for axis in (-2, -1):
        batch = _where(_coin(batch), batch, lambda x, axis=axis: x.flip(axis))  # type: ignore[misc]
    return batch


def rotate90(batch: Batch) -> Batch:
    """A transposition with probability one half, which with flips gives all quarter turns; square slices only."""
    if batch.image.shape[-1] != batch.image.shape[-2]:
        return batch
    return _where(_coin(batch), batch, lambda x: x.transpose(-2, -1))


def rotate(batch: Batch) -> Batch:
    """A uniform angle in [-180, 180] degrees about the centre; images bilinear, masks nearest, zero outside."""
    angle = (torch.rand(len(batch.image)) * 2 - 1) * math.pi
    ratio = batch.image.shape[-1] / batch.image.shape[-2]
    zero = torch.zeros_like(angle)
    theta = torch.stack(
        [
            torch.stack([angle.cos(), -angle.sin() / ratio, zero], dim=1),
            torch.stack([angle.sin() * ratio, angle.cos(), zero], dim=1),
        ],
        dim=1,
    ).to(batch.image)  # (B, 2, 3)
    grid = functional.affine_grid(theta, list(batch.image.shape), align_corners=False)
    image = functional.grid_sample(batch.image, grid, mode="bilinear", align_corners=False)
    masks = functional.grid_sample(batch.masks.to(batch.image), grid, mode="nearest", align_corners=False)
    # What comes in from outside is background, as in the masks, and counts.
    void = functional.grid_sample((~batch.valid[:, None]).to(batch.image), grid, mode="nearest", align_corners=False)
    return replace(batch, image=image, masks=masks.long(), valid=void[:, 0] < 0.5)


def noise(batch: Batch) -> Batch:
    """Gaussian noise of standard deviation 0.1, clipped at 0.2, on every second image on average."""
    added = (torch.randn(batch.image.shape) * 0.1).clamp(-0.2, 0.2).to(batch.image)
    image = torch.where(_coin(batch)[:, None, None, None], batch.image + added, batch.image)
    return replace(batch, image=image)


CHANGES: dict[Augmentation, Callable[[Batch], Batch]] = {
    "flip": flip,
    "rotate90": rotate90,
    "rotate": rotate,
    "noise": noise,
}


def _coin(batch: Batch) -> Tensor:
    # Drawn on the CPU, so that the same seed changes the same images on every device.
    return (torch.rand(len(batch.image)) < 0.5).to(batch.image.device)


def _where(chosen: Tensor, batch: Batch, change: Callable[[Tensor], Tensor]) -> Batch:
    pick = chosen[:, None, None, None]
    image, masks = (torch.where(pick, change(values), values) for values in (batch.image, batch.masks))
    return replace(batch, image=image, masks=masks, valid=torch.where(pick[:, 0], change(batch.valid), batch.valid))
