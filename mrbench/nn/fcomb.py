"""1x1 convolutions that join feature maps with vectors: many vectors for the price of one pass over the maps."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class Fcomb(nn.Module):
    """Segmentation logits from feature maps and a vector that is the same at every pixel (Kohl et al. 2018).

    ``layers`` 1x1 convolutions, ReLU between them. The first acts on maps and vector side by side; being linear, it is
    applied to the maps once and to the S vectors at one pixel, and the two parts are added. 929 parameters with 16
    maps, a vector of 6 and one output.

    Args:
        maps: number of feature maps.
        vector: length of the vector; 0 for none.
        outputs: logits per pixel.
        hidden: channels between the layers.
        layers: number of convolutions.
        initial: of the weights; biases start near zero (orthogonal) or at zero (xavier).
    """

    def __init__(
        self, maps: int, vector: int, outputs: int, *, hidden: int = 16, layers: int = 4, initial: str = "orthogonal"
    ) -> None:
        super().__init__()
        widths = [maps + vector, *[hidden] * (layers - 1), outputs]
        self.maps = maps
        self.convolutions = nn.ModuleList(nn.Conv2d(inner, outer, 1) for inner, outer in pairwise(widths))
        for convolution in self.convolutions:
            _start(convolution, initial)

    def forward(self, maps: Tensor, vectors: Tensor) -> Tensor:
        """``(B, S, outputs, H, W)`` logits from maps ``(B, maps, H, W)`` and vectors ``(B, S, vector)``."""
        spatial, offset = self._first(maps, vectors)
        return self._rest(spatial[:, None] + offset[..., None, None])

    def chosen(self, maps: Tensor, vectors: Tensor, choice: Tensor) -> Tensor:
        """``(B, M, outputs, H, W)`` logits where every pixel has a vector of its own.

        Args:
            maps: ``(B, maps, H, W)``.
            vectors: ``(B, S, vector)`` to choose from.
            choice: ``(B, M, H, W)`` integers below S.
        """
        spatial, offset = self._first(maps, vectors)
        # A product with indicators, whose gradient is a product too: that of indexing adds up pixel by pixel.
        numbers = torch.arange(offset.shape[1], device=choice.device)[:, None]
        indicators = (choice.flatten(2)[:, :, None] == numbers).to(offset.dtype)  # (B, M, S, H W)
        picked = offset.mT[:, None] @ indicators  # (B, M, hidden, H W)
        return self._rest(spatial[:, None] + picked.reshape(*picked.shape[:3], *choice.shape[2:]))

    def _first(self, maps: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        # (B, hidden, H, W) of the maps, (B, S, hidden) of the vectors
        first = self.convolutions[0]
        assert isinstance(first, nn.Conv2d)
        weight = first.weight.flatten(1)  # (hidden, maps + vector)
        spatial = functional.conv2d(maps, weight[:, : self.maps, None, None], first.bias)
        return spatial, vectors @ weight[:, self.maps :].T

    def _rest(self, first: Tensor) -> Tensor:
        # (B, S, outputs, H, W) from the first layer's (B, S, hidden, H, W)
        x = first.flatten(0, 1)
        for convolution in list(self.convolutions)[1:]:
            x = convolution(torch.relu(x))
        return x.reshape(*first.shape[:2], *x.shape[1:])

    def inner_parameters(self) -> Iterator[nn.Parameter]:
        """Weights and biases of every layer but the last: what the released models' norm penalty covers."""
        for convolution in list(self.convolutions)[:-1]:
            yield from convolution.parameters()


def norm_penalty(parameters: Iterator[nn.Parameter]) -> Tensor:
    """Sum of the L2 norms, not squared, of the parameter tensors."""
    return torch.stack([torch.linalg.vector_norm(parameter) for parameter in parameters]).sum()


def _start(convolution: nn.Module, initial: str) -> None:
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.bias is not None
    if initial == "xavier":
        nn.init.xavier_uniform_(convolution.weight)
        nn.init.zeros_(convolution.bias)
    else:
        nn.init.orthogonal_(convolution.weight)
        nn.init.trunc_normal_(convolution.bias, std=0.001, a=-0.002, b=0.002)
