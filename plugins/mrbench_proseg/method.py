"""ProSeg, in the order of its paper: class embedding, image encoder, predictor, image decoder, classifier, loss, draws.

P counts the (image, rater) pairs of a step, T the dimensions of tau, Z the channels of z, L the logits per pixel.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Dirichlet
from torch.nn import functional

from mrbench.data.case import Image
from mrbench.data.description import Description
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.method import Batch, Context, Method, Stage
from mrbench.nn.backbone import Backbone, build_backbone
from mrbench.nn.fcomb import Fcomb, norm_penalty
from mrbench.nn.gaussian import DiagonalGaussian, gaussian_kl_to_prior
from mrbench.nn.losses import (
    batch_dice_loss,
    cross_entropy,
    dirichlet_kl,
    logit_channels,
    logits_to_probability,
    start_from_background,
)
from mrbench.nn.per_rater import PerRater, convolutions
from mrbench.nn.raters import pairs_of
from mrbench.nn.slices import draws_at_once, run_by_slices
from mrbench_proseg.config import ProSegConfig

# 4.2 Model architecture


class ClassEmbedding(nn.Module):
    """q(tau|r): a Dirichlet for each rater, its concentrations free parameters."""

    def __init__(self, raters: int, size: int) -> None:
        super().__init__()
        own = torch.arange(size)[None] % raters == torch.arange(raters)[:, None]  # (R, T)
        self.rows = nn.Parameter(torch.where(own, 1.0, 0.1))

    def concentration(self) -> Tensor:
        """``(R, T)``, positive."""
        return functional.softplus(self.rows)

    def forward(self, rater: Tensor) -> Tensor:
        """``(P, T)`` concentrations for raters ``(P,)``."""
        return self.concentration()[rater]


class ImageEncoder(nn.Module):
    """q(z_r|x): one network for the image, then a small head for each rater; z is a map as large as the image."""

    def __init__(
        self, backbone: Backbone, channels: int, latent: int, raters: int, first_log_variance: float = 0.0
    ) -> None:
        super().__init__()
        self.backbone = build_backbone(backbone, channels)
        maps = self.backbone.out_channels
        self.heads = PerRater(lambda: convolutions(maps, latent, 2 * latent, 2 * latent), raters)
        for head in self.heads.heads:
            head.get_parameter("4.bias").data[latent:] += first_log_variance

    def forward(self, features: Tensor, rater: Tensor) -> DiagonalGaussian:
        """``(P, Z, H, W)`` from the backbone's maps ``(P, 16, H, W)`` and raters ``(P,)``."""
        mean, log_variance = self.heads(features, rater).chunk(2, dim=1)
        return DiagonalGaussian(mean, log_variance)


class ImageDecoder(nn.Module):
    """p(x|z_r): a small head for each rater, then one network; the mean of a normal of unit variance."""

    def __init__(self, backbone: Backbone, channels: int, latent: int, raters: int) -> None:
        super().__init__()
        half = latent // 2
        self.heads = PerRater(lambda: convolutions(latent, latent, half, half), raters)
        self.backbone = build_backbone(backbone, half)
        self.output = nn.Conv2d(self.backbone.out_channels, channels, 1)

    def forward(self, z: Tensor, rater: Tensor) -> Tensor:
        """``(P, C, H, W)`` from ``(P, Z, H, W)`` and raters ``(P,)``."""
        image: Tensor = self.output(self.backbone(self.heads(z, rater)))
        return image


class Classifier(nn.Sequential):
    """p(r|tau): logits ``(P, R)`` from ``(P, T)``."""

    def __init__(self, size: int, raters: int) -> None:
        super().__init__(nn.Linear(size, 32), nn.ReLU(), nn.Linear(32, raters))


@dataclass(frozen=True, eq=False)
class Latents:
    """What an image gives for every rater, computed once.

    Attributes:
        mean: ``(D, R, Z, H, W)`` of q(z_r|x); without z the feature maps, ``(D, 1, 16, H, W)``.
        deviation: same shape; None without z.
    """

    mean: Tensor
    deviation: Tensor | None

    def z(self, slice_: int, draws: Sequence["BaseNoise"]) -> Tensor:
        """``(S, Z, H, W)`` at one slice."""
        if self.deviation is None:
            return self.mean[slice_].expand(len(draws), -1, -1, -1)
        rater = torch.tensor([draw.head for draw in draws], device=self.mean.device)
        epsilon = torch.from_numpy(np.stack([draw.epsilon for draw in draws])).to(self.mean.device)
        return self.mean[slice_, rater] + self.deviation[slice_, rater] * epsilon


@dataclass(frozen=True, eq=False)
class BaseNoise:
    """The randomness of one draw; all slices of a volume share it.

    Attributes:
        head: the rater whose q(z_r|x) is drawn from.
        tau: ``(T,)``; empty without tau.
        epsilon: ``(Z, H, W)`` standard normal; empty without z.
        rater: whom the draw stands for; None for a sample.
    """

    head: int
    tau: np.ndarray
    epsilon: np.ndarray
    rater: int | None = None


class ProSeg(Method[ProSegConfig]):
    """p(Y, x, R) with the latents tau of the rater and z of the image, eq. 1-6: the five modules of figure 3.

    Options leave modules out, which are None then.
    """

    stage_name = "proseg"

    def __init__(self, config: ProSegConfig, description: Description) -> None:
        super().__init__(config, description)
        raters, channels = description.n_raters, len(description.channels)
        self.raters, self.classes = raters, description.n_classes
        self.tau_size = config.tau_dimensions(raters)  # T
        latent, tau = config.latent_channels, self.tau_size if config.use_tau else 0
        self.class_embedding = ClassEmbedding(raters, self.tau_size) if config.use_tau else None
        self.image_encoder = ImageEncoder(
            config.backbone, channels, latent, raters if config.use_z else 0, config.z_first_log_variance
        )
        maps = latent if config.use_z else self.image_encoder.backbone.out_channels
        self.predictor = Fcomb(maps, tau, logit_channels(self.classes), layers=3, initial="xavier")  # p(y|tau, z)
        start_from_background(self.predictor.convolutions[-1], config.background_log_odds)
        reconstructs = config.use_z and config.weights.reconstruction > 0
        self.image_decoder = ImageDecoder(config.backbone, channels, latent, raters) if reconstructs else None
        self.classifier = Classifier(self.tau_size, raters) if config.use_tau else None

    def stages(self) -> Sequence[Stage]:
        """All modules together."""
        return [self.stage(rates=dict.fromkeys(("class_embedding", "classifier"), self.config.embedding_learning_rate))]

    # Eq. 8-9

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """The weighted terms of eq. 8-9, each a mean over the pairs of an image and one of its raters."""
        weights = self.config.weights
        image, rater = pairs_of(batch.present, one=self.config.raters_per_image == "one")  # (P,) each
        y = batch.masks[image, rater]  # (P, H, W)
        features = self.image_encoder.backbone(batch.image)  # (B, 16, H, W)
        terms: dict[str, Tensor] = {}

        z = features[image]  # (P, 16, H, W)
        if self.config.use_z:
            q_z = self.image_encoder(z, rater)
            z = q_z.sample()  # (P, Z, H, W)
            terms["kl_z"] = weights.kl_z * self._reduced_kl_z(q_z)
        if self.image_decoder is not None:
            terms["reconstruction"] = weights.reconstruction * self._reconstruction(z, rater, batch.image[image])

        tau = z.new_empty(len(rater), 0)  # (P, T)
        if self.class_embedding is not None and self.classifier is not None:
            concentration = self.class_embedding(rater)  # (P, T)
            tau = Dirichlet(concentration, validate_args=False).rsample()
            terms["kl_tau"] = weights.kl_tau * dirichlet_kl(concentration).mean()
            terms["classification"] = weights.classification * self._classification(self.classifier(tau), rater)

        logits = self.predictor(z, tau[:, None])[:, 0]  # (P, L, H, W)
        segmentation = batch_dice_loss if self.config.segmentation_loss == "dice" else cross_entropy
        terms["segmentation"] = weights.segmentation * segmentation(logits, y)
        if weights.norm:
            terms["norm"] = weights.norm * norm_penalty(self.predictor.inner_parameters())
        return terms

    def _reduced_kl_z(self, q_z: DiagonalGaussian) -> Tensor:
        elements = gaussian_kl_to_prior(q_z, self.config.z_prior_log_variance)  # (P, Z, H, W)
        return elements.mean() if self.config.kl_z_reduction == "mean" else elements.sum(dim=(1, 2, 3)).mean()

    def _reconstruction(self, z: Tensor, rater: Tensor, x: Tensor) -> Tensor:
        assert self.image_decoder is not None
        error = functional.mse_loss(self.image_decoder(z, rater), x)
        return error / len(x) if self.config.reconstruction_loss == "mean-by-batch" else error

    def _classification(self, logits: Tensor, rater: Tensor) -> Tensor:
        if self.config.classification_loss == "probabilities":
            logits = logits.softmax(dim=1)
        return functional.cross_entropy(logits, rater)

    # 4.3 Generation

    def predict(self, image: Image, n: int, context: Context) -> Iterator[Draw]:
        """``proseg``: predictions for every rater, then n samples (eq. 10); ``proseg-prior``: n samples (eq. 11).

        Each draw has its own base noise, the same for all slices of a volume; a later draw never moves an earlier one.
        """
        latents = self._latents(image, context.device)
        at_once = draws_at_once(image.array, self.classes)
        plan = self._plan(image, n, context)
        while chunk := list(islice(plan, at_once)):
            for draw, probability in zip(chunk, self._probability(latents, chunk), strict=True):
                kind = DrawKind.SAMPLE if draw.rater is None else DrawKind.RATER
                yield Draw(kind, probability if image.array.ndim == 4 else probability[:, 0], draw.rater)

    def _plan(self, image: Image, n: int, context: Context) -> Iterator[BaseNoise]:
        shape = image.array.shape[-2:]
        if context.sampler == "prior":
            yield from (self._from_prior(s, shape, context.noise(image, "prior", s)) for s in range(n))
            return
        for draw in range(self.config.draws_per_rater):
            for rater in range(self.raters):
                yield self._of_rater(rater, shape, context.noise(image, "rater", rater, draw))
        yield from (self._of_any_rater(shape, context.noise(image, "sample", s)) for s in range(n))

    def _of_rater(self, rater: int, shape: tuple[int, ...], noise: np.random.Generator) -> BaseNoise:
        # eq. 10: p(y|tau, z) q(tau|r) q(z_r|x)
        return BaseNoise(rater, epsilon=self._epsilon(shape, noise), tau=self._tau_of(rater, noise), rater=rater)

    def _of_any_rater(self, shape: tuple[int, ...], noise: np.random.Generator) -> BaseNoise:
        # eq. 10 for a rater drawn uniformly, with replacement
        rater = int(noise.integers(self.raters))
        return BaseNoise(rater, epsilon=self._epsilon(shape, noise), tau=self._tau_of(rater, noise))

    def _from_prior(self, number: int, shape: tuple[int, ...], noise: np.random.Generator) -> BaseNoise:
        # eq. 11: p(y|tau, z) p(tau) q(z_i|x), where i is the class of tau
        drawn = int(noise.integers(self.raters))
        tau = noise.dirichlet(np.ones(self.tau_size)) if self.config.use_tau else np.empty(0)
        head = number % self.raters if self.config.prior_expert == "cycle" else self._expert(tau, drawn)
        return BaseNoise(head, epsilon=self._epsilon(shape, noise), tau=tau.astype(np.float32))

    def _expert(self, tau: np.ndarray, otherwise: int) -> int:
        # argmax of p(r|tau); without tau a rater drawn uniformly
        if self.classifier is None:
            return otherwise
        device = next(self.classifier.parameters()).device
        return int(self.classifier(torch.from_numpy(tau).float().to(device)).argmax())

    def _epsilon(self, shape: tuple[int, ...], noise: np.random.Generator) -> np.ndarray:
        if not self.config.use_z:
            return np.empty(0, np.float32)
        return noise.standard_normal((self.config.latent_channels, *shape), dtype=np.float32)

    def _tau_of(self, rater: int, noise: np.random.Generator) -> np.ndarray:
        if self.class_embedding is None:
            return np.empty(0, np.float32)
        concentration = self.class_embedding.concentration()[rater].double().cpu().numpy()
        return noise.dirichlet(concentration).astype(np.float32)

    def _latents(self, image: Image, device: torch.device) -> Latents:
        if not self.config.use_z:
            return Latents(run_by_slices(self.image_encoder.backbone, image.array, device)[:, None], None)
        moments = run_by_slices(self._moments, image.array, device)  # (D, R, 2 Z, H, W)
        mean, deviation = moments.chunk(2, dim=2)
        return Latents(mean, deviation)

    def _moments(self, x: Tensor) -> Tensor:
        # (D, R, 2 Z, H, W): means and deviations of q(z_r|x) of every rater, from slices (D, C, H, W)
        features = self.image_encoder.backbone(x)  # (D, 16, H, W)
        each = [
            self.image_encoder(features, torch.full_like(x[:, 0, 0, 0], r, dtype=torch.long))
            for r in range(self.raters)
        ]
        return torch.stack([torch.cat([q.mean, q.deviation], dim=1) for q in each], dim=1)

    def _probability(self, latents: Latents, draws: Sequence[BaseNoise]) -> np.ndarray:
        # (S, K, D, H, W)
        device = latents.mean.device
        tau = torch.from_numpy(np.stack([draw.tau for draw in draws])).to(device)  # (S, T)
        slices = []
        for number in range(len(latents.mean)):
            logits = self.predictor(latents.z(number, draws), tau[:, None])[:, 0]  # (S, L, H, W)
            slices.append(logits_to_probability(logits, self.classes).cpu())
        return torch.stack(slices, dim=2).numpy()
