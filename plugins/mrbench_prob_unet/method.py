"""The Probabilistic U-Net (Kohl et al. 2018), in the order of its paper: networks, training, sampling."""

from collections.abc import Mapping

from torch import Tensor, cat, stack

from mrbench.data.description import Description
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise
from mrbench.nn.encoder import build_encoder
from mrbench.nn.gaussian import DiagonalGaussian, gaussian_kl
from mrbench.nn.latent_unet import Encoded, LatentUNet
from mrbench.nn.losses import batch_dice_loss, cross_entropy
from mrbench.nn.raters import draw_rater, foreground, mask_of
from mrbench_prob_unet.config import ProbUNetConfig


class ProbUNet(Method[ProbUNetConfig]):
    """p(y|x, z) with z ~ p(z|x); the posterior q(z|x, y) sees one mask of each image, a random rater's."""

    stage_name = "prob-unet"

    def __init__(self, config: ProbUNetConfig, description: Description) -> None:
        super().__init__(config, description)
        channels, self.classes = len(description.channels), description.n_classes
        self.network = LatentUNet(config.backbone, config.encoder, channels, self.classes, config.background_log_odds)
        self.posterior = build_encoder(config.encoder, channels + self.classes - 1)

    # Section 2, training: eq. 4

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """The negative evidence lower bound of one random rater's mask per image."""
        x, y = batch.image, mask_of(batch.judged, draw_rater(batch.present))  # (B, C, H, W), (B, H, W)
        prior = self.network.prior(x)
        posterior = self.posterior(cat([x, foreground(y, self.classes)], dim=1))
        z = posterior.sample()  # (B, Z)
        logits = self.network.fcomb(self.network.backbone(x), z[:, None])[:, 0]  # (B, L, H, W)
        terms = {
            "reconstruction": self._reconstruction(logits, y, batch.counted),
            "kl": self.config.kl_weight * gaussian_kl(posterior, prior).sum(dim=1).mean(),
        }
        if self.config.norm_weight:
            terms["norm"] = self.config.norm_weight * self.network.norms(self.posterior)
        return terms

    def _reconstruction(self, logits: Tensor, y: Tensor, valid: Tensor | None) -> Tensor:
        if self.config.reconstruction == "dice":
            return batch_dice_loss(logits, y, valid=valid)
        pixels = y[0].numel() if valid is None else valid.sum() / len(y)  # of an image that count, on average
        return cross_entropy(logits, y, valid=valid) * pixels

    def features(self, x: Tensor) -> Encoded:
        return self.network.encode(x)

    def sample(self, features: Encoded, noise: Noise) -> Tensor:
        return self.network.sample(features, noise)

    def encode(self, features: Encoded, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        """q(z|x, y_r) of every rater's mask."""
        every = [foreground(y, self.classes) for y in masks.unbind(dim=1)]  # (N, K - 1, H, W) each
        found = [self.posterior(cat([features.image, y], dim=1)) for y in every]
        moments = (stack([getattr(q, name) for q in found], dim=1) for name in ("mean", "log_variance"))
        return {"z": features.latent(DiagonalGaussian(*moments))}
