"""One optimisation step as the releases take it."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mrbench.interfaces.method import Batch


class Released(nn.Module):
    """A released method: its loss, and its optimiser."""

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The objective of one batch."""

    def trained(self) -> Sequence[nn.Parameter]:
        """What the optimiser changes."""
        return list(self.parameters())

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam, as released; the learning rate costs nothing."""
        return torch.optim.Adam(self.trained(), lr=1e-4)


def step(method: Released, optimiser: torch.optim.Optimizer, batch: Batch) -> Tensor:
    """The loss, after backward with anomaly detection, which all of D-Persona's and ProSeg's scripts leave on."""
    with torch.autograd.set_detect_anomaly(True):
        loss = method.loss(batch)
        if torch.isnan(loss):
            raise ValueError("the loss is not a number")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    loss.item()
    return loss
