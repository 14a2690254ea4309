"""Pionono (Schmidt, Morales-Alvarez and Molina, ICCV 2023): a Gaussian for each rater, in the paper's order.

P counts the (image, rater) pairs of a step, S draws, Z the dimensions of the latent, L the logits per pixel.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.interfaces.noise import Noise
from mrbench.nn.backbone import build_backbone
from mrbench.nn.fcomb import Fcomb, norm_penalty
from mrbench.nn.losses import batch_dice_loss, logit_channels, start_from_background
from mrbench.nn.raters import pairs_of
from mrbench_pionono.config import PiononoConfig


class RaterGaussians(nn.Module):
    """q(z|r) = N(m_r, L_r L_r^T) with L lower triangular; the softplus of its diagonal keeps it positive."""

    def __init__(self, config: PiononoConfig, raters: int) -> None:
        super().__init__()
        size = config.latent
        self.prior_variance = config.prior_deviation**2
        self.mean = nn.Parameter(config.first_spread * torch.randn(raters, size))
        first = torch.tensor(config.first_deviation).expm1().log()  # whose softplus is the deviation
        self.entries = nn.Parameter((first * torch.eye(size)).expand(raters, -1, -1).clone())

    def factor(self) -> Tensor:
        """``(R, Z, Z)`` L."""
        diagonal = functional.softplus(self.entries.diagonal(dim1=1, dim2=2))
        return self.entries.tril(-1) + torch.diag_embed(diagonal)

    def draw(self, rater: Tensor, epsilon: Tensor) -> Tensor:
        """``(..., P, S, Z)`` from raters ``(..., P)`` and base noise ``(..., P, S, Z)``."""
        return self.mean[rater][..., None, :] + epsilon @ self.factor()[rater].mT

    def kl(self) -> Tensor:
        """``(R,)`` KL(q(z|r) || N(0, prior_deviation^2 I)) in closed form."""
        factor, size = self.factor(), self.mean.shape[1]
        squares = (factor**2).sum(dim=(1, 2)) + (self.mean**2).sum(dim=1)
        log_determinant = 2 * factor.diagonal(dim1=1, dim2=2).log().sum(dim=1)
        prior = size * float(np.log(self.prior_variance))
        return 0.5 * (squares / self.prior_variance - size + prior - log_determinant)


class Pionono(Method[PiononoConfig]):
    """p(y|x, z) with z ~ q(z|r): what a rater does, and how much the rater varies."""

    stage_name = "pionono"

    def __init__(self, config: PiononoConfig, description: Description) -> None:
        super().__init__(config, description)
        self.raters, self.classes = description.n_raters, description.n_classes
        self.backbone = build_backbone(config.backbone, len(description.channels))
        maps, outputs = self.backbone.out_channels, logit_channels(self.classes)
        self.head = Fcomb(maps, config.latent, outputs, layers=3, initial="xavier")
        start_from_background(self.head.convolutions[-1], config.background_log_odds)
        self.gaussians = RaterGaussians(config, self.raters)

    def stages(self) -> Sequence[Stage]:
        return [self.stage(rates={"gaussians": self.config.latent_learning_rate})]

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Dice of the mean logits over draws of each pair, the divergence of the pairs' raters, norms."""
        config = self.config
        image, rater = pairs_of(batch.present, one=config.raters_per_image == "one")  # (P,) each
        features = self.backbone(batch.image)[image]  # (P, 16, H, W)
        epsilon = torch.randn(len(rater), config.draws, config.latent, device=features.device)
        logits = self.head(features, self.gaussians.draw(rater, epsilon)).mean(dim=1)  # (P, L, H, W)
        terms = {
            "segmentation": batch_dice_loss(logits, batch.masks[image, rater], valid=batch.counted_of(image)),
            "kl": config.kl_weight * self.gaussians.kl()[rater].mean(),
        }
        if config.norm_weight:
            terms["norm"] = config.norm_weight * norm_penalty(self.head.inner_parameters())
        return terms

    def features(self, x: Tensor) -> Tensor:
        return self.backbone(x)

    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Tensor:
        """Mean logits over draws of the rater's Gaussian; without draws those of its mean."""
        if not self.config.rater_draws:
            z = self.gaussians.mean[rater].expand(len(features), 1, -1)  # (N, 1, Z)
            return self.head(features, z).transpose(0, 1)
        epsilon = noise.normal("z", self.config.rater_draws, self.config.latent)  # (S, N, draws, Z)
        z = self.gaussians.draw(torch.full((len(features),), rater, device=features.device), epsilon)
        return torch.stack([self.head(features, each).mean(dim=1) for each in z])

    def sample(self, features: Tensor, noise: Noise) -> Tensor:
        """A rater drawn uniformly, then z."""
        rater = noise.integers("rater", self.raters)  # (S, N)
        z = self.gaussians.draw(rater, noise.normal("z", 1, self.config.latent))[:, :, 0]  # (S, N, Z)
        return self.head(features, z.transpose(0, 1)).transpose(0, 1)
