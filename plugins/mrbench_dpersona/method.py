"""D-Persona (Wu et al., CVPR 2024), in the order of its paper: stage I, stage II, sampling.

Z counts the dimensions of the latent, L the logits per pixel, F = K - 1 the foreground classes.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, cat

from mrbench.data.description import Description
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.interfaces.noise import Noise
from mrbench.nn.bound import bound_loss
from mrbench.nn.encoder import build_encoder
from mrbench.nn.gaussian import gaussian_kl
from mrbench.nn.latent_unet import Encoded, LatentUNet
from mrbench.nn.likelihood import negative_log_likelihood, told_in_nats, unit_of
from mrbench.nn.losses import batch_dice_loss, logits_to_probability, only_counted
from mrbench.nn.queries import Queries, raters_loss
from mrbench.nn.raters import draw_rater, foreground, mask_of, pairs_of
from mrbench.nn.span import spanning
from mrbench_dpersona.ablations import orthogonality, pairwise_dice
from mrbench_dpersona.config import DPersonaConfig
from mrbench_dpersona.prior_bank import PriorBank


class DPersona(Method[DPersonaConfig]):
    """Stage I learns p(y|x, z) and p(z|x); stage II finds each rater among draws of the frozen p(z|x)."""

    def __init__(self, config: DPersonaConfig, description: Description) -> None:
        super().__init__(config, description)
        channels, self.raters, self.classes = len(description.channels), description.n_raters, description.n_classes
        self.network = LatentUNet(config.backbone, config.encoder, channels, self.classes, config.background_log_odds)
        self.posterior = build_encoder(config.encoder, channels + self.raters * (self.classes - 1))
        maps = self.network.backbone.out_channels
        self.queries = Queries(config.stage_2, maps, config.encoder.latent, self.raters)
        self.bank = PriorBank(config.prior_bank, config.encoder.latent) if config.prior_bank else None

    def stages(self) -> Sequence[Stage]:
        """Diversification, then on what it left, frozen, the bank if there is one, and personalisation."""
        one, two = self.config.stage_1, self.config.stage_2
        return [
            self.stage(["network", "posterior"], name="diversification", loss=self.diversification, options=one),
            *([self.stage(["bank"], name="prior-bank", loss=self.distortion, options=self.bank)] if self.bank else []),
            self.stage(["queries"], name="personalisation", loss=self.personalisation, options=two),
        ]

    # Stage I

    def diversification(self, batch: Batch) -> Mapping[str, Tensor]:
        """Reconstruction of a random rater, KL(q || p), bound of the prior's samples, norms, and what the thesis adds.

        Absent raters are zero channels of the posterior and no part of the bound; ``absent`` says whether the random
        rater can be one of them, whose mask is then empty.
        """
        options, x = self.config.stage_1, batch.image
        masks = foreground(batch.judged, self.classes) * batch.present[:, :, None, None, None]  # (B, R, F, H, W)
        prior, posterior = self.network.prior(x), self.posterior(cat([x, masks.flatten(1, 2)], dim=1))
        features = self.network.backbone(x)  # (B, 16, H, W)
        z = (posterior if options.reconstruct_from == "posterior" else prior).sample()  # (B, Z)
        shown = batch.present if options.absent == "mask" else torch.ones_like(batch.present)
        rater = self._rater(shown)
        logits = self.network.fcomb(features, z[:, None])[:, 0]
        divergence = gaussian_kl(posterior, prior).sum(dim=1).mean()
        terms = {
            "reconstruction": self._reconstruction(logits, batch, rater, shown),
            "kl": options.kl_weight * divergence,
        }
        if options.likelihood == "sum":
            terms |= told_in_nats(divergence, options.kl_weight, batch.valid)
        if options.bound_weight or options.dual_diversity:
            samples = self._samples(features, prior.samples(options.bound_samples))
            terms |= self._of_samples(samples, masks, batch)
        if options.norm_weight:
            terms["norm"] = options.norm_weight * self.network.norms(self.posterior)
        if options.orthogonality:
            terms["orthogonality"] = options.orthogonality * orthogonality(self._each(x, masks, batch), batch.present)
        return terms

    def _samples(self, features: Tensor, z: Tensor) -> Tensor:
        # (B, S, F, H, W); the bound needs none but what spans them
        if self.config.stage_1.dual_diversity:
            return logits_to_probability(self.network.fcomb(features, z), self.classes)[:, :, 1:]
        return spanning(self.network.fcomb, features, z, self.classes)

    def _of_samples(self, samples: Tensor, masks: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        # samples: (B, S, F, H, W)
        options, terms = self.config.stage_1, {}
        if options.bound_weight:
            weight = options.bound_weight * unit_of(options.likelihood, batch.masks, self.classes)
            terms["bound"] = weight * bound_loss(samples, masks, batch.present, batch.counted)
        if options.dual_diversity:
            terms["dual_diversity"] = options.dual_diversity * pairwise_dice(only_counted(samples, batch.counted))
        return terms

    def _each(self, x: Tensor, masks: Tensor, batch: Batch) -> Tensor:
        # (B, R, Z): the posterior's mean where a rater is the only one present; 0 for absent raters
        image, rater = pairs_of(batch.present)
        alone = torch.zeros_like(masks)[image]  # (P, R, F, H, W)
        one = torch.arange(len(image), device=x.device), rater
        alone[one] = masks[image, rater]
        means = self.posterior(cat([x[image], alone.flatten(1, 2)], dim=1)).mean  # (P, Z)
        return means.new_zeros(*batch.present.shape, means.shape[1]).index_put((image, rater), means)

    def _rater(self, shown: Tensor) -> Tensor:
        # (B,); a rater of the whole batch may not be shown in some of its images, which then count nothing
        if self.config.stage_1.rater_drawn_per == "image":
            return draw_rater(shown)
        return draw_rater(shown.any(dim=0, keepdim=True)).expand(len(shown))

    def _reconstruction(self, logits: Tensor, batch: Batch, rater: Tensor, shown: Tensor) -> Tensor:
        masks = batch.masks * batch.present[:, :, None, None]
        loss = batch_dice_loss if self.config.stage_1.likelihood == "dice" else negative_log_likelihood
        return loss(logits, mask_of(masks, rater), shown.gather(1, rater[:, None])[:, 0], batch.counted)

    # The thesis's prior bank

    def distortion(self, batch: Batch) -> Mapping[str, Tensor]:
        """The k-means objective of prior draws of the batch."""
        assert self.bank is not None
        draws = max(self.config.stage_2.bank, -(-len(self.bank.centroids) // len(batch.image)))
        return {"distortion": self.bank.distortion(self.network.prior(batch.image).samples(draws).flatten(0, 1))}

    # Stage II

    def personalisation(self, batch: Batch) -> Mapping[str, Tensor]:
        """Dice loss of the raters' own maps; a channel per rater and foreground class."""
        x, size = batch.image, self.config.stage_2.bank
        bank = self.bank.for_each(len(x)) if self.bank else self.network.prior(x).samples(size)  # (B, N, Z)
        return {"raters": raters_loss(self.network, self.queries, bank, batch)}

    # Sampling: dpersona-1, then dpersona-2

    def features(self, x: Tensor) -> Encoded:
        return self.network.encode(x)

    def sample(self, features: Encoded, noise: Noise) -> Tensor:
        """Draws of the prior, with a prior bank the centroids nearest to them."""
        z = features.latents(noise.normal("z", self.config.encoder.latent))
        return self.network.decode(features.maps, self.bank(z) if self.bank else z)

    def as_rater(self, features: Encoded, rater: int, noise: Noise) -> Tensor:
        """What the rater's query finds in a bank of prior draws, which all raters share, or among the centroids."""
        if self.bank:
            bank = self.bank.for_each(len(features.maps))[None]
        else:
            shape = self.config.bank, self.config.encoder.latent
            bank = features.latents(noise.normal("bank", *shape, per_rater=False))  # (S, N, B, Z)
        return self.network.decode(features.maps, self.queries.find(rater, features.maps, bank))

    # Diagnostics

    def encode(self, features: Encoded, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        """q(z|x, y) of stage I, which sees all present raters' masks together."""
        seen = foreground(masks, self.classes) * present[:, :, None, None, None]  # (N, R, F, H, W)
        return {"z": features.latent(self.posterior(cat([features.image, seen.flatten(1, 2)], dim=1)).for_each())}
