"""Pionono (Schmidt, Morales-Alvarez and Molina, ICCV 2023): a Gaussian for each rater, in the paper's order.

P counts the (image, rater) pairs of a step, S draws, Z the dimensions of the latent, L the logits per pixel.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.data.case import Image
from mrbench.data.description import Description
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Batch, Context, Method, Stage
from mrbench.nn.backbone import build_backbone
from mrbench.nn.fcomb import Fcomb, norm_penalty
from mrbench.nn.losses import batch_dice_loss, logit_channels, start_from_background
from mrbench.nn.raters import pairs_of
from mrbench.nn.slices import draws_at_once, draws_from_slices, run_by_slices
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
        """``(P, S, Z)`` from raters ``(P,)`` and base noise ``(P, S, Z)``."""
        return self.mean[rater, None] + epsilon @ self.factor()[rater].mT

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
        """All together."""
        return [self.stage(rates={"gaussians": self.config.latent_learning_rate})]

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Dice of the mean logits over draws of each pair, the divergence of the pairs' raters, norms."""
        config = self.config
        image, rater = pairs_of(batch.present, one=config.raters_per_image == "one")  # (P,) each
        features = self.backbone(batch.image)[image]  # (P, 16, H, W)
        epsilon = torch.randn(len(rater), config.draws, config.latent, device=features.device)
        logits = self.head(features, self.gaussians.draw(rater, epsilon)).mean(dim=1)  # (P, L, H, W)
        terms = {
            "segmentation": batch_dice_loss(logits, batch.masks[image, rater]),
            "kl": config.kl_weight * self.gaussians.kl()[rater].mean(),
        }
        if config.norm_weight:
            terms["norm"] = config.norm_weight * norm_penalty(self.head.inner_parameters())
        return terms

    # Predictions: a named rater's own, then samples of random raters

    def predict(self, image: Image, n: int, context: Context) -> Iterator[Draw]:
        """A prediction for every rater, then n samples: a rater drawn uniformly, then z; slices share both."""
        maps = run_by_slices(self.backbone, image.array, context.device)  # (D, 16, H, W)
        for rater in range(self.raters):
            yield Draw(DrawKind.RATER, self._of_rater(rater, maps, image, context), rater)
        plan = (self._sampled(context.noise(image, "sample", s), maps.device) for s in range(n))
        while chunk := list(islice(plan, draws_at_once(image.array, self.classes))):
            z = torch.stack(chunk).expand(len(maps), -1, -1)  # (D, S, Z)
            for probability in draws_from_slices(self.head.by_slices(maps, z), self.classes, image.array.ndim):
                yield Draw(DrawKind.SAMPLE, probability)

    def _of_rater(self, rater: int, maps: Tensor, image: Image, context: Context) -> np.ndarray:
        if self.config.rater_draws:
            noise = context.noise(image, "rater", rater)
            z = self._draw(rater, noise.standard_normal((self.config.rater_draws, self.config.latent)), maps.device)
        else:
            z = self.gaussians.mean[rater, None]  # (1, Z)
        logits = self.head.by_slices(maps, z.expand(len(maps), -1, -1))
        mean = (each.mean(dim=0, keepdim=True) for each in logits)
        return draws_from_slices(mean, self.classes, image.array.ndim)[0]

    def _sampled(self, noise: np.random.Generator, device: torch.device) -> Tensor:
        rater = int(noise.integers(self.raters))
        return self._draw(rater, noise.standard_normal((1, self.config.latent)), device)[0]

    def _draw(self, rater: int, noise: np.ndarray, device: torch.device) -> Tensor:
        # (S, Z) from base noise (S, Z)
        epsilon = torch.from_numpy(noise.astype(np.float32)).to(device)
        return self.gaussians.draw(torch.tensor([rater], device=device), epsilon[None])[0]
