"""Where arrays enter: NumPy arrays are counted here, torch tensors on their device.

torch is loaded for tensors only.
"""

from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import numpy as np

from mrbench.metrics.counting import count_intersections, pack_masks, rater_patterns

if TYPE_CHECKING:
    import torch

Array: TypeAlias = "np.ndarray | torch.Tensor"
"""What the public functions take: NumPy arrays, or torch tensors on any device."""


def is_tensor(array: Array) -> TypeGuard["torch.Tensor"]:
    """Is this a torch tensor? Asked without importing torch."""
    return hasattr(array, "detach")


def type_name(array: Array) -> str:
    """``bool``, ``uint8``, ``float32``, ... of arrays and tensors alike; the class of anything else."""
    return str(getattr(array, "dtype", type(array).__name__)).removeprefix("torch.")


def is_floating(array: Array) -> bool:
    """Are these floating-point numbers?"""
    return type_name(array).startswith(("float", "bfloat"))


def to_host(array: Array) -> np.ndarray:
    """The array itself, or a tensor's values as an array."""
    return array if isinstance(array, np.ndarray) else array.detach().cpu().numpy()


def intersect(first: Array, second: Array) -> np.ndarray:
    """``(A + B, A + B)`` int64 pixels shared by each two of the boolean masks ``(A, *spatial)`` and ``(B, *spatial)``.

    Exact at any size. Where one of the two is a tensor, the other one follows it to its device.
    """
    if is_tensor(first) or is_tensor(second):
        from mrbench.metrics import tensors

        return tensors.intersect(first, second)
    return count_intersections(pack_masks(np.concatenate([_rows(first), _rows(second)])))


def areas(masks: Array) -> np.ndarray:
    """``(M,)`` int64 pixels of boolean masks ``(M, *spatial)``."""
    return to_host(masks.reshape(len(masks), -1).sum(1))


def total(stack: Array) -> np.ndarray:
    """``(pixels,)`` sum over the first axis of ``(S, *spatial)``: int64 of booleans, else float64.

    Floats are added one row at a time, so that the sum is the same to the last bit wherever it is made.
    """
    if is_tensor(stack):
        from mrbench.metrics import tensors

        return tensors.total(stack)
    result = np.zeros(_rows(stack).shape[1], np.float64 if is_floating(stack) else np.int64)
    for row in _rows(stack):
        result += row
    return result


def patterns(raters: Array) -> np.ndarray:
    """``(pixels,)`` int64 from boolean masks ``(R, *spatial)``, R <= 62: bit r is set where rater r marks."""
    if is_tensor(raters):
        from mrbench.metrics import tensors

        return tensors.patterns(raters)
    return rater_patterns(_rows(raters))


def _rows(stack: Array) -> np.ndarray:
    return np.asarray(stack).reshape(len(stack), -1)
