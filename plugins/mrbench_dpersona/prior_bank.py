"""The prior bank of the 2026 thesis (table 4.4, row 4): k prototypes in place of the continuous prior.

The thesis says "k-means centroids" and "prototype retrieval" and no more. Here the centroids are of prior draws of all
training images, and an image retrieves from them. Z counts the dimensions of the latent.
"""

import torch
from torch import Tensor, nn


class PriorBank(nn.Module):
    """k centroids in the latent space, started from draws and moved by the gradient of the k-means objective.

    Args:
        k: number of centroids.
        latent: Z.
    """

    epochs, learning_rate = 10, 1e-2

    started: Tensor

    def __init__(self, k: int, latent: int) -> None:
        super().__init__()
        self.centroids = nn.Parameter(torch.zeros(k, latent))
        self.register_buffer("started", torch.tensor(False))

    def forward(self, z: Tensor) -> Tensor:
        """``(..., Z)`` the centroid nearest to each latent ``(..., Z)``, the first on a tie."""
        return self.centroids[torch.cdist(z.detach(), self.centroids.detach()).argmin(dim=-1)]

    def distortion(self, draws: Tensor) -> Tensor:
        """Mean squared distance of draws ``(n, Z)``, n >= k, to their nearest centroids: what k-means minimises.

        Its gradient is that of stochastic k-means (Bottou and Bengio 1995). In training mode the first call starts the
        centroids from k of the draws.
        """
        if self.training and not self.started:
            first = torch.randperm(len(draws))[: len(self.centroids)].to(draws.device)
            self.centroids.data.copy_(draws[first])
            self.started.fill_(True)
        return (draws - self(draws)).square().sum(dim=1).mean()

    def for_each(self, images: int) -> Tensor:
        """``(images, k, Z)`` the whole bank for every image."""
        return self.centroids.expand(images, -1, -1)
