"""ProSeg: heads, distributions and classes image by image; in prediction, sample by sample."""

import copy

import torch
from torch import Tensor, nn
from torch.distributions import Dirichlet
from torch.distributions.kl import kl_divergence
from torch.nn import functional

from mrbench.interfaces.method import Batch
from mrbench.nn.raters import pairs_of
from released.latent import TiledHead
from released.losses import generalised_dice, norms
from released.step import Released
from released.unet import like


class ProSeg(Released):
    """``ours``: ``proseg``, ``as_released``; the decoder has as many output channels as the image, as ours."""

    def __init__(self, ours: object) -> None:
        super().__init__()
        encoder, decoder = ours.image_encoder, ours.image_decoder  # type: ignore[attr-defined]
        self.backbone = like(encoder.backbone, 1)
        self.moments = copy.deepcopy(encoder.heads.heads)
        self.remap, self.output = copy.deepcopy(decoder.heads.heads), copy.deepcopy(decoder.output)
        self.reconstruct = like(decoder.backbone, 8)
        self.rows = nn.Parameter(ours.class_embedding.rows.detach().clone())  # type: ignore[attr-defined]
        self.classifier = copy.deepcopy(ours.classifier)  # type: ignore[attr-defined]
        self.predictor = TiledHead(ours.predictor)  # type: ignore[attr-defined]

    def loss(self, batch: Batch) -> Tensor:
        image, rater = pairs_of(batch.present, one=True)
        maps = self.backbone(batch.image)
        moments = torch.cat([self.moments[int(r)](maps[i : i + 1]) for i, r in zip(image, rater, strict=True)])
        mean, log_variance = moments.chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        rebuilt = torch.cat([self.remap[int(r)](z[p : p + 1]) for p, r in enumerate(rater)])
        rebuilt = self.output(self.reconstruct(rebuilt))
        each = [self.embedding(int(r)) for r in rater]
        tau = torch.stack([distribution.rsample() for distribution in each])
        logits = self.predictor(z, tau)
        y = torch.stack([batch.masks[i, r] for i, r in zip(image, rater, strict=True)])[:, None]
        flat = Dirichlet(torch.ones_like(self.rows[0]))
        return (
            generalised_dice(logits, y)
            + functional.cross_entropy(torch.softmax(self.classifier(tau), dim=1), rater)
            + functional.mse_loss(rebuilt, batch.image[image]) / len(z)
            + 0.1 * torch.stack([kl_divergence(distribution, flat) for distribution in each]).mean()
            + 0.1 * divergence(mean, log_variance, torch.ones_like(mean)).mean()
            + 1e-5 * norms([self.predictor.inner])
        )

    def embedding(self, rater: int) -> Dirichlet:
        return Dirichlet(functional.softplus(self.rows[rater]))

    @torch.no_grad()
    def sample(self, x: Tensor, n: int) -> Tensor:
        """``(n, H, W)`` probabilities for one image ``(1, C, H, W)``, the raters in turn; a head runs per sample."""
        maps, found = self.backbone(x), []
        for s in range(n):
            rater = s % len(self.moments)
            mean, log_variance = self.moments[rater](maps).chunk(2, dim=1)
            z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
            found.append(torch.sigmoid(self.predictor(z, self.embedding(rater).rsample()[None])))
        return torch.cat(found)[:, 0]


def divergence(mean: Tensor, log_variance: Tensor, prior: Tensor) -> Tensor:
    """Of normals of mean 0 and log variance ``prior``, element by element."""
    return 0.5 * (prior - log_variance + (log_variance.exp() + mean**2) / prior.exp() - 1)
