"""Per-rater posterior encoders (thesis, section 3.4): each rater's gradient reaches an encoder of the rater's own.

Z counts the dimensions of the latent, L the logits per pixel, F = K - 1 the foreground classes.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mrbench.data.description import Description
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise
from mrbench.nn.bound import bound_loss
from mrbench.nn.encoder import build_encoder
from mrbench.nn.gaussian import DiagonalGaussian, gaussian_kl
from mrbench.nn.latent_unet import Encoded, LatentUNet
from mrbench.nn.likelihood import negative_log_likelihood, told_in_nats, unit_of
from mrbench.nn.losses import batch_dice_loss
from mrbench.nn.raters import foreground
from mrbench.nn.span import spanning
from mrbench_per_rater.config import PerRaterConfig


class PerRaterPosteriors(Method[PerRaterConfig]):
    """p(y|x, z) and p(z|x) shared; q_i(z|x, y_i) for each rater, eq. 3.4."""

    stage_name = "per-rater"

    def __init__(self, config: PerRaterConfig, description: Description) -> None:
        super().__init__(config, description)
        channels, self.raters, self.classes = len(description.channels), description.n_raters, description.n_classes
        self.network = LatentUNet(config.backbone, config.encoder, channels, self.classes, config.background_log_odds)
        # R encoders side by side are one network of grouped convolutions: the same mathematics in one pass.
        groups = 1 if config.tied else self.raters
        self.posteriors = build_encoder(config.encoder, channels + self.classes - 1, groups=groups)

    # Eq. 3.5, negated

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """The raters' mean reconstruction and mean divergence, the bound of the prior's samples, norms."""
        config, x, present = self.config, batch.image, batch.present
        masks = foreground(batch.judged, self.classes) * present[:, :, None, None, None]  # (B, R, F, H, W)
        prior = self.network.prior(x)  # (B, Z)
        posteriors = self._posteriors(x, masks)  # (B, R, Z)
        features = self.network.backbone(x)  # (B, 16, H, W)
        logits = self.network.fcomb(features, posteriors.sample())  # (B, R, L, H, W)
        divergence = gaussian_kl(posteriors, prior.for_each()).sum(dim=2)[present].mean()
        terms = {"reconstruction": self._reconstruction(logits, batch), "kl": config.kl_weight * divergence}
        if config.likelihood == "sum":
            terms |= told_in_nats(divergence, config.kl_weight, batch.valid)
        if config.bound_weight:
            samples = spanning(self.network.fcomb, features, prior.samples(config.bound_samples), self.classes)
            weight = config.bound_weight * unit_of(config.likelihood, batch.masks, self.classes)
            terms["bound"] = weight * bound_loss(samples, masks, present, batch.counted)
        if config.norm_weight:
            terms["norm"] = config.norm_weight * self.network.norms(self.posteriors)
        return terms

    def _posteriors(self, x: Tensor, masks: Tensor) -> DiagonalGaussian:
        # (B, R, Z) from (B, C, H, W) and (B, R, F, H, W)
        images = x[:, None].expand(-1, self.raters, -1, -1, -1)
        seen = torch.cat([images, masks], dim=2)  # (B, R, C + F, H, W)
        if not self.config.tied:
            return self.posteriors(seen.flatten(1, 2))
        found = self.posteriors(seen.flatten(0, 1))  # (B R, Z)
        shape = (len(seen), self.raters, -1)
        return DiagonalGaussian(found.mean.view(shape), found.log_variance.view(shape))

    def _reconstruction(self, logits: Tensor, batch: Batch) -> Tensor:
        # Mean over the raters of whom the batch has a mask
        masks, present, valid = batch.masks, batch.present, batch.counted
        if self.config.likelihood == "sum":
            return negative_log_likelihood(logits, masks, present, valid)
        seen = present.any(dim=0).nonzero()[:, 0].tolist()
        each = [batch_dice_loss(logits[:, r], masks[:, r], present[:, r], valid) for r in seen]
        return torch.stack(each).mean()

    def features(self, x: Tensor) -> Encoded:
        return self.network.encode(x)

    def sample(self, features: Encoded, noise: Noise) -> Tensor:
        return self.network.sample(features, noise)

    def encode(self, features: Encoded, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        """q_i(z|x, y_i) of every rater."""
        seen = foreground(masks, self.classes) * present[:, :, None, None, None]  # (N, R, F, H, W)
        return {"z": features.latent(self._posteriors(features.image, seen))}
