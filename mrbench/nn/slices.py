"""Networks see slices; images may be volumes: one way there and back, in chunks that bound the memory."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from mrbench.nn.losses import logits_to_probability

PIXELS_AT_ONCE = 2**19
"""Pixels that go through a network together in prediction: 32 slices of 128 x 128."""

DRAWN_AT_ONCE = 2**17
"""Pixels of draws that go through a head together, 8 of 128 x 128: their maps then stay in a processor's cache."""

VALUES_AT_ONCE = 2**24
"""Probabilities held for draws that are computed together: 64 MiB."""


def as_slices(array: np.ndarray) -> Tensor:
    """``(D, C, H, W)`` from an image ``(C, H, W)``, where D = 1, or ``(C, D, H, W)``."""
    volume = array if array.ndim == 4 else array[:, None]  # (C, D, H, W)
    return torch.from_numpy(np.ascontiguousarray(volume.swapaxes(0, 1)))


def from_slices(slices: Tensor, ndim: int) -> np.ndarray:
    """The inverse: ``(K, *spatial)`` from ``(D, K, H, W)``, for an image whose array had ``ndim`` axes."""
    volume = slices.movedim(0, 1).contiguous().cpu().numpy()  # (K, D, H, W)
    return volume if ndim == 4 else volume[:, 0]


def draws_from_slices(logits: Iterable[Tensor], classes: int, ndim: int) -> np.ndarray:
    """``(S, K, *spatial)`` probabilities of S draws from their logits slice by slice, ``(S, L, H, W)`` each."""
    volume = torch.stack([logits_to_probability(each, classes).cpu() for each in logits], dim=2)  # (S, K, D, H, W)
    return (volume if ndim == 4 else volume[:, :, 0]).numpy()


def chunk_length(height: int, width: int, pixels: int = PIXELS_AT_ONCE) -> int:
    """How many slices of that size, at least one, make up ``pixels``."""
    return max(1, pixels // (height * width))


def draws_at_once(array: np.ndarray, classes: int) -> int:
    """How many draws of an image, ``(C, *spatial)``, to compute together.

    Bounds the maps of one slice's draws and the probabilities, ``(S, K, D, H, W)``, of a volume's.
    """
    height, width = array.shape[-2:]
    return min(chunk_length(height, width, DRAWN_AT_ONCE), max(1, VALUES_AT_ONCE // (classes * array[0].size)))


def run_by_slices(network: Callable[[Tensor], Tensor], array: np.ndarray, device: torch.device) -> Tensor:
    """``(D, c, H, W)`` on the device: the network over all slices of an image, ``(C, H, W)`` or ``(C, D, H, W)``."""
    slices = as_slices(array)
    chunks = torch.split(slices, chunk_length(*slices.shape[-2:]))
    return torch.cat([network(chunk.to(device)) for chunk in chunks])
