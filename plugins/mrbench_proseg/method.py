"""ProSeg, in the order of its paper: class embedding, image encoder, predictor, image decoder, classifier, loss, draws.

P counts the (image, rater) pairs of a step, T the dimensions of tau, Z the channels of z, L the logits per pixel.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Dirichlet
from torch.nn import functional

from mrbench.data.description import Description
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.interfaces.noise import Noise
from mrbench.nn.backbone import Backbone, build_backbone
from mrbench.nn.fcomb import Fcomb, norm_penalty
from mrbench.nn.gaussian import DiagonalGaussian, gaussian_kl_to_prior
from mrbench.nn.losses import (
    batch_dice_loss,
    cross_entropy,
    dirichlet_kl,
    log_likelihood,
    logit_channels,
    start_from_background,
)
from mrbench.nn.per_rater import PerRater, convolutions
from mrbench.nn.raters import pairs_of
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
        self.rater_draws = config.draws_per_rater

    def stages(self) -> Sequence[Stage]:
        return [self.stage(rates=dict.fromkeys(("class_embedding", "classifier"), self.config.embedding_learning_rate))]

    # Eq. 8-9

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """The weighted terms of eq. 8-9, each a mean over the pairs of an image and one of its raters.

        With ``likelihood = sum`` the curve also keeps each term without its weight, in nats.
        """
        weights = self.config.weights
        image, rater = pairs_of(batch.present, one=self.config.raters_per_image == "one")  # (P,) each
        y = batch.masks[image, rater]  # (P, H, W)
        features = self.image_encoder.backbone(batch.image)  # (B, 16, H, W)
        terms: dict[str, Tensor] = {}

        z = features[image]  # (P, 16, H, W)
        if self.config.use_z:
            q_z = self.image_encoder(z, rater)
            z = q_z.sample()  # (P, Z, H, W)
            terms["kl_z"] = self._reduced_kl_z(q_z)
        if self.image_decoder is not None:
            terms["reconstruction"] = self._reconstruction(z, rater, batch.image[image])

        tau = z.new_empty(len(rater), 0)  # (P, T)
        if self.class_embedding is not None and self.classifier is not None:
            concentration = self.class_embedding(rater)  # (P, T)
            tau = Dirichlet(concentration, validate_args=False).rsample()
            terms["kl_tau"] = dirichlet_kl(concentration).mean()
            terms["classification"] = self._classification(self.classifier(tau), rater)

        logits = self.predictor(z, tau[:, None])[:, 0]  # (P, L, H, W)
        terms["segmentation"] = self._segmentation(logits, y, batch.counted_of(image))
        if weights.norm:
            terms["norm"] = norm_penalty(self.predictor.inner_parameters())
        weighted = {name: getattr(weights, name) * term for name, term in terms.items()}
        if self.config.likelihood == "sum":
            weighted |= {f"_{name}": term.detach() for name, term in terms.items() if name != "norm"}
        return weighted

    def _reduced_kl_z(self, q_z: DiagonalGaussian) -> Tensor:
        elements = gaussian_kl_to_prior(q_z, self.config.z_prior_log_variance)  # (P, Z, H, W)
        return elements.mean() if self.config.kl_z_reduction == "mean" else elements.sum(dim=(1, 2, 3)).mean()

    def _segmentation(self, logits: Tensor, y: Tensor, valid: Tensor | None) -> Tensor:
        if self.config.likelihood == "sum":
            return -log_likelihood(logits, y, valid).mean()
        loss = batch_dice_loss if self.config.segmentation_loss == "dice" else cross_entropy
        return loss(logits, y, valid=valid)

    def _reconstruction(self, z: Tensor, rater: Tensor, x: Tensor) -> Tensor:
        assert self.image_decoder is not None
        error = functional.mse_loss(self.image_decoder(z, rater), x)
        if self.config.likelihood == "sum":
            return error * x[0].numel() / 2  # -log N(x; decoded, 1) without its constant
        return error / len(x) if self.config.reconstruction_loss == "mean-by-batch" else error

    def _classification(self, logits: Tensor, rater: Tensor) -> Tensor:
        if self.config.classification_loss == "probabilities":
            logits = logits.softmax(dim=1)
        return functional.cross_entropy(logits, rater)

    # 4.3 Generation

    def features(self, x: Tensor) -> DiagonalGaussian:
        """q(z_r|x), ``(R, N, Z, H, W)``; without z the maps that the predictor reads take the place of the means."""
        maps = self.image_encoder.backbone(x)  # (N, 16, H, W)
        if not self.config.use_z:
            every = maps.expand(self.raters, -1, -1, -1, -1)
            return DiagonalGaussian(every, torch.zeros_like(every))
        raters = torch.arange(self.raters, device=x.device).expand(len(x), -1).T  # (R, N)
        each = [self.image_encoder(maps, rater) for rater in raters]
        return DiagonalGaussian(torch.stack([q.mean for q in each]), torch.stack([q.log_variance for q in each]))

    def as_rater(self, features: DiagonalGaussian, rater: int, noise: Noise) -> Tensor:
        """Eq. 10: p(y|tau, z) q(tau|r) q(z_r|x). A sample of ``proseg`` is such a draw for a rater drawn uniformly."""
        tau = None
        if self.class_embedding is not None:
            tau = noise.dirichlet("tau", self.class_embedding.concentration()[rater])  # (S, N, T)
        return self.predict(self.draw_z(features, rater, noise), tau)

    def draw_z(self, features: DiagonalGaussian, rater: int | Tensor, noise: Noise) -> Tensor:
        """``(S, N, Z, H, W)`` from q(z_r|x) of one rater, or of the rater of each draw and slice, ``(S, N)``."""
        index = rater if isinstance(rater, int) else (rater, torch.arange(noise.slices, device=rater.device))
        q_z = DiagonalGaussian(features.mean[index], features.log_variance[index])
        if not self.config.use_z:
            return q_z.mean.expand(noise.draws, *q_z.mean.shape[-4:])
        return q_z.mean + q_z.deviation * noise.normal("z", *q_z.mean.shape[-3:])

    def predict(self, z: Tensor, tau: Tensor | None) -> Tensor:
        """``(S, N, L, H, W)`` logits of p(y|tau, z) from ``(S, N, Z, H, W)`` and ``(S, N, T)``; None: without tau."""
        vectors = z.new_empty(*z.shape[:2], 0) if tau is None else tau
        return self.predictor(z.flatten(0, 1), vectors.flatten(0, 1)[:, None])[:, 0].unflatten(0, z.shape[:2])

    def encode(self, features: DiagonalGaussian, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        """q(z_r|x) and q(tau|r) of every rater, who is known by number and not by mask, and p(z) and p(tau)."""
        found: dict[str, Latent] = {}
        if self.config.use_z:
            zero = torch.zeros_like(features.mean[:1]).transpose(0, 1)  # (N, 1, Z, H, W)
            q_z = DiagonalGaussian(features.mean.transpose(0, 1), features.log_variance.transpose(0, 1))
            p_z = DiagonalGaussian(zero, zero + self.config.z_prior_log_variance)
            found["z"] = Latent(q_z.density(3), p_z.density(3))
        if self.class_embedding is not None:
            concentration = self.class_embedding.concentration().expand(len(masks), -1, -1)  # (N, R, T)
            found["tau"] = Latent(Dirichlet(concentration), Dirichlet(torch.ones_like(concentration[:, :1])))
        return found


class ProSegPrior(ProSeg):
    """``proseg-prior``: samples of nobody in particular."""

    def sample(self, features: DiagonalGaussian, noise: Noise) -> Tensor:
        """Eq. 11: p(y|tau, z) p(tau) q(z_i|x), where i is the class of tau."""
        tau = noise.dirichlet("tau", torch.ones(self.tau_size)) if self.config.use_tau else None
        return self.predict(self.draw_z(features, self._expert(tau, noise), noise), tau)

    def _expert(self, tau: Tensor | None, noise: Noise) -> Tensor:
        # (S, N): argmax of p(r|tau), or the raters in turn; without tau a rater drawn uniformly
        if self.config.prior_expert == "cycle":
            return (noise.numbers % self.raters)[:, None].expand(-1, noise.slices)
        if self.classifier is None or tau is None:
            return noise.integers("expert", self.raters)
        return self.classifier(tau).argmax(dim=-1)
