"""Pionono in the D-Persona release: a distribution object for every image and draw."""

import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal
from torch.distributions.kl import kl_divergence
from torch.nn import functional

from mrbench.interfaces.method import Batch
from mrbench.nn.raters import pairs_of
from released.latent import TiledHead
from released.losses import generalised_dice, norms
from released.step import Released
from released.unet import like


class Pionono(Released):
    """``ours``: ``pionono``, ``as_released``; the diagonal of the factors is the softplus of free entries, as ours."""

    def __init__(self, ours: object) -> None:
        super().__init__()
        self.backbone, self.head = like(ours.backbone, 1), TiledHead(ours.head)  # type: ignore[attr-defined]
        gaussians = ours.gaussians  # type: ignore[attr-defined]
        self.mean = nn.Parameter(gaussians.mean.detach().double())
        self.entries = nn.Parameter(gaussians.entries.detach().double())

    def gaussian(self, rater: int) -> MultivariateNormal:
        entries = self.entries[rater]
        factor = entries.tril(-1) + torch.diag(functional.softplus(torch.diagonal(entries)))
        return MultivariateNormal(self.mean[rater], scale_tril=factor)

    def loss(self, batch: Batch) -> Tensor:
        image, rater = pairs_of(batch.present, one=True)
        epsilon = torch.randn(len(rater), 5, self.mean.shape[1]).double()
        maps, logits = self.backbone(batch.image), []
        for s in range(5):
            z = [self._draw(int(r), noise[s]) for r, noise in zip(rater, epsilon, strict=True)]
            logits.append(self.head(torch.index_select(maps, 0, image), torch.stack(z).float()))
        mean = torch.mean(torch.stack(logits), dim=0)
        y = torch.stack([batch.masks[i, r] for i, r in zip(image, rater, strict=True)])[:, None]
        size = self.mean.shape[1]
        prior = MultivariateNormal(torch.zeros(size).double(), covariance_matrix=4 * torch.eye(size).double())
        kl = torch.stack([kl_divergence(self.gaussian(int(r)), prior) for r in rater]).mean()
        return generalised_dice(mean, y) + 5e-4 * kl.float() + 1e-5 * norms([self.head.inner])

    def _draw(self, rater: int, epsilon: Tensor) -> Tensor:
        gaussian = self.gaussian(rater)
        return gaussian.loc + gaussian.scale_tril @ epsilon
