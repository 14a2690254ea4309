"""Masks to integers on the device that they lie on; the same numbers as :mod:`mrbench.metrics.arrays` gives.

Imported for tensors only.
"""

import numpy as np
import torch

from mrbench.metrics.arrays import Array, is_tensor

_BLOCK = 1 << 18
"""Pixels per float32 product: counts stay far below 2^24, where float32 ends to be exact."""


def intersect(first: Array, second: Array) -> np.ndarray:
    """``(M, M)`` int64 pixels shared by each two of two stacks of boolean masks."""
    rows = _join(first, second)
    shared = torch.zeros((len(rows), len(rows)), dtype=torch.int64, device=rows.device)
    # Autocast would make the products in half precision, which is inexact above 256 pixels.
    with torch.autocast(rows.device.type, enabled=False):
        for block in torch.split(rows, _BLOCK, dim=1):
            values = block.to(torch.float32)
            shared += (values @ values.T).to(torch.int64)
    return shared.cpu().numpy()


def _join(first: Array, second: Array) -> torch.Tensor:
    device = first.device if is_tensor(first) else second.device
    return torch.cat([torch.as_tensor(masks, device=device).reshape(len(masks), -1) for masks in (first, second)])


def total(stack: torch.Tensor) -> np.ndarray:
    """``(pixels,)`` sum over the first axis of ``(S, *spatial)``, row by row; int64 of booleans, else float64."""
    rows = stack.detach().reshape(len(stack), -1)
    exact = torch.float64 if stack.is_floating_point() else torch.int64
    result = torch.zeros(rows.shape[1], dtype=exact, device=stack.device)
    for row in rows:
        result += row.to(exact)
    return result.cpu().numpy()


def patterns(raters: torch.Tensor) -> np.ndarray:
    """``(pixels,)`` int64 from boolean masks ``(R, *spatial)``: bit r is set where rater r marks."""
    rows = raters.reshape(len(raters), -1)
    result = torch.zeros(rows.shape[1], dtype=torch.int64, device=raters.device)
    for rater, row in enumerate(rows):
        result |= row.to(torch.int64) << rater
    return result.cpu().numpy()
