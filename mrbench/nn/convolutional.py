"""Networks that are mostly convolutions: the memory format and, where a training asks for it, bfloat16."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

import torch
from torch import Tensor, nn

_IN_BF16: ContextVar[bool] = ContextVar("in_bf16", default=False)


@contextmanager
def convolutions_in_bf16(chosen: bool = True) -> Iterator[None]:
    """While it lasts, every :class:`Convolutional` computes in bfloat16, or none does where ``chosen`` is false."""
    token = _IN_BF16.set(chosen)
    try:
        yield
    finally:
        _IN_BF16.reset(token)


class Convolutional(nn.Module):
    """A network whose time goes into convolutions; what leaves it is float32, whatever it computed in.

    Weights stay float32. Under :func:`convolutions_in_bf16` the layers that :meth:`convolved` is given run under
    torch's autocast: products in bfloat16, which has float32's range, normalisation statistics in float32.

    Attributes:
        memory_format: that the layers are fastest in, on a CPU and in bfloat16.
    """

    memory_format: torch.memory_format = torch.channels_last

    def convolved(self, layers: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """``layers(x)`` for ``x`` ``(B, C, H, W)``, in float32 and row by row."""
        reduced = _IN_BF16.get()
        if self.memory_format is torch.channels_last and (reduced or x.device.type == "cpu"):
            x = channels_last(x)
        with torch.autocast(x.device.type, torch.bfloat16) if reduced else nullcontext():
            out = layers(x)
        return out.to(torch.float32, memory_format=torch.contiguous_format)


def channels_last(x: Tensor) -> Tensor:
    """``(B, C, H, W)`` with a pixel's channels side by side in memory.

    A single channel is copied: from the strides that ``contiguous`` leaves it, convolutions infer the usual format.
    """
    if x.shape[1] != 1:
        return x.contiguous(memory_format=torch.channels_last)
    height, width = x.shape[2:]
    return torch.empty_strided(x.shape, (height * width, 1, width, 1), dtype=x.dtype, device=x.device).copy_(x)
