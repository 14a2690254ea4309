"""D-Persona (Wu et al., CVPR 2024), in the order of its paper: stage I, stage II, sampling.

Z counts the dimensions of the latent, L the logits per pixel, F = K - 1 the foreground classes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, cat, nn

from mrbench.data.case import Image
from mrbench.data.description import Description
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Batch, Context, Method, ParameterGroup, Stage
from mrbench.nn.bound import bound_loss
from mrbench.nn.encoder import build_encoder
from mrbench.nn.gaussian import gaussian_kl
from mrbench.nn.latent_unet import LatentUNet
from mrbench.nn.losses import batch_dice_loss, channel_dice_loss, logits_to_probability
from mrbench.nn.raters import draw_rater, foreground, mask_of
from mrbench_dpersona.config import DPersonaConfig, Personalisation

Loss = Callable[[Batch], Mapping[str, Tensor]]


class Queries(nn.Module):
    """A query into the latent space for each rater: ``(B, 16, H, W)`` maps to ``(B, R, Z)``, not negative."""

    def __init__(self, config: Personalisation, maps: int, latent: int, raters: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(_query(config, maps, latent) for _ in range(raters))

    def forward(self, maps: Tensor) -> Tensor:
        """The mean of each head's output over the image."""
        return torch.stack([head(maps).mean(dim=(2, 3)) for head in self.heads], dim=1)


def _query(config: Personalisation, maps: int, latent: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (inner, outer) in enumerate(pairwise((maps, *config.widths, latent))):
        layers += [nn.AvgPool2d(2, ceil_mode=True)] if number else []
        layers += [nn.Conv2d(inner, outer, 3, padding=config.padding), nn.ReLU(inplace=True)]
        layers += [nn.Dropout2d(config.dropout)]
        layers += [nn.Conv2d(outer, outer, 3, padding=config.padding), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def attend(query: Tensor, bank: Tensor) -> Tensor:
    """``(B, R, Z)`` for each rater the mean of the draws ``(B, N, Z)``, weighted by softmax over N of query x draw."""
    return (query @ bank.mT).softmax(dim=2) @ bank


class DPersona(Method[DPersonaConfig]):
    """Stage I learns p(y|x, z) and p(z|x); stage II finds each rater among draws of the frozen p(z|x)."""

    def __init__(self, config: DPersonaConfig, description: Description) -> None:
        super().__init__(config, description)
        channels, self.raters, self.classes = len(description.channels), description.n_raters, description.n_classes
        self.network = LatentUNet(config.backbone, config.encoder, channels, self.classes, config.background_log_odds)
        self.posterior = build_encoder(config.encoder, channels + self.raters * (self.classes - 1))
        maps = self.network.backbone.out_channels
        self.queries = Queries(config.stage_2, maps, config.encoder.latent, self.raters)

    def networks(self) -> Mapping[str, nn.Module]:
        """The segmentation network with its prior, the posterior (stage I only) and the raters' queries (stage II)."""
        return {"network": self.network, "posterior": self.posterior, "queries": self.queries}

    def stages(self) -> Sequence[Stage]:
        """Diversification, then personalisation on what it left, frozen."""
        one, two = self.config.stage_1, self.config.stage_2
        encoders = [self.network, self.posterior]
        return [
            self._stage("diversification", encoders, self.diversification, one.epochs, one.learning_rate),
            self._stage("personalisation", [self.queries], self.personalisation, two.epochs, two.learning_rate),
        ]

    def _stage(self, name: str, modules: Sequence[nn.Module], loss: Loss, epochs: int, rate: float) -> Stage:
        return Stage(
            name=name,
            modules=modules,
            groups=[ParameterGroup([p for module in modules for p in module.parameters()], rate)],
            loss=loss,
            epochs=epochs,
            batch_size=self.config.batch_size,
            schedule=self.config.schedule,
            patience=self.config.patience,
        )

    # Stage I

    def diversification(self, batch: Batch) -> Mapping[str, Tensor]:
        """Reconstruction of a random rater, KL(q || p), the bound of the prior's samples, norms.

        Absent raters are zero channels of the posterior and no part of the bound; ``absent`` says whether the random
        rater can be one of them, whose mask is then empty.
        """
        options, x = self.config.stage_1, batch.image
        masks = foreground(batch.masks, self.classes) * batch.present[:, :, None, None, None]  # (B, R, F, H, W)
        prior, posterior = self.network.prior(x), self.posterior(cat([x, masks.flatten(1, 2)], dim=1))
        features = self.network.backbone(x)  # (B, 16, H, W)
        z = (posterior if options.reconstruct_from == "posterior" else prior).sample()  # (B, Z)
        shown = batch.present if options.absent == "mask" else torch.ones_like(batch.present)
        rater = self._rater(shown)
        logits = self.network.fcomb(features, z[:, None])[:, 0]
        terms = {
            "reconstruction": self._reconstruction(logits, batch, rater, shown),
            "kl": options.kl_weight * gaussian_kl(posterior, prior).sum(dim=1).mean(),
        }
        if options.bound_weight:
            samples = self._foreground(features, prior.samples(options.bound_samples))
            terms["bound"] = options.bound_weight * bound_loss(samples, masks, batch.present)
        if options.norm_weight:
            terms["norm"] = options.norm_weight * self.network.norms(self.posterior)
        return terms

    def _rater(self, shown: Tensor) -> Tensor:
        # (B,); a rater of the whole batch may not be shown in some of its images, which then count nothing
        if self.config.stage_1.rater_drawn_per == "image":
            return draw_rater(shown)
        return draw_rater(shown.any(dim=0, keepdim=True)).expand(len(shown))

    def _reconstruction(self, logits: Tensor, batch: Batch, rater: Tensor, shown: Tensor) -> Tensor:
        masks = batch.masks * batch.present[:, :, None, None]
        return batch_dice_loss(logits, mask_of(masks, rater), shown.gather(1, rater[:, None])[:, 0])

    def _foreground(self, features: Tensor, z: Tensor) -> Tensor:
        # (B, S, F, H, W)
        return logits_to_probability(self.network.fcomb(features, z), self.classes)[:, :, 1:]

    # Stage II

    def personalisation(self, batch: Batch) -> Mapping[str, Tensor]:
        """Dice loss of the raters' own maps; a channel per rater and foreground class."""
        with torch.no_grad():
            features = self.network.backbone(batch.image)
            bank = self.network.prior(batch.image).samples(self.config.stage_2.bank)  # (B, N, Z)
        z = attend(self.queries(features), bank)  # (B, R, Z)
        probability = self._foreground(features, z)  # (B, R, F, H, W)
        masks = foreground(batch.masks, self.classes)
        counted = batch.present[:, :, None].expand(-1, -1, self.classes - 1)
        loss = channel_dice_loss(probability.flatten(1, 2), masks.flatten(1, 2), counted.flatten(1, 2))
        return {"raters": loss}

    # Sampling

    def predict(self, image: Image, n: int, context: Context) -> Iterator[Draw]:
        """``dpersona-1``: n samples of the prior; ``dpersona-2``: a prediction for every rater.

        The slices of a volume share the base noise of z, and that of the bank.
        """
        if context.sampler == "raters":
            yield from self._predict_raters(image, context)
            return
        latent = self.config.encoder.latent
        noise = (context.noise(image, "sample", s).standard_normal(latent) for s in range(n))
        for probability in self.network.sample(image, noise, context.device):
            yield Draw(DrawKind.SAMPLE, probability)

    @torch.no_grad()
    def _predict_raters(self, image: Image, context: Context) -> Iterator[Draw]:
        self.queries.eval()
        encoded = self.network.encode(image, context.device)
        noise = context.noise(image, "bank").standard_normal((self.config.bank, self.config.encoder.latent))
        z = attend(self.queries(encoded.features), encoded.latents(noise))  # (D, R, Z)
        for rater in range(self.raters):
            probability: np.ndarray = self.network.decode(encoded.features, z[:, rater : rater + 1], image)[0]
            yield Draw(DrawKind.RATER, probability, rater)
