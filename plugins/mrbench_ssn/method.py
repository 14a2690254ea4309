"""Stochastic Segmentation Networks (Monteiro et al. 2020): the logits of an image are one normal draw.

L counts the logits per pixel, N the rank, S draws.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise
from mrbench.nn.backbone import build_backbone
from mrbench.nn.losses import log_likelihood, logit_channels, start_from_background
from mrbench.nn.low_rank_normal import LowRankNormal
from mrbench.nn.raters import draw_rater, mask_of
from mrbench_ssn.config import SSNConfig

LEAST_VARIANCE = 1e-5


class StochasticSegmentation(Method[SSNConfig]):
    """Mean, variance and factors of the logits are three linear maps of the same features."""

    stage_name = "ssn"

    def __init__(self, config: SSNConfig, description: Description) -> None:
        super().__init__(config, description)
        self.logits = logit_channels(description.n_classes)
        self.backbone = build_backbone(config.backbone, len(description.channels))
        maps = self.backbone.out_channels
        self.mean = nn.Conv2d(maps, self.logits, 1)
        self.log_variance = nn.Conv2d(maps, self.logits, 1)
        self.factors = nn.Conv2d(maps, self.logits * config.rank, 1)
        start_from_background(self.mean, config.background_log_odds)

    def features(self, x: Tensor) -> LowRankNormal:
        """The distribution of the logits of each image."""
        maps = self.backbone(x)
        variance = self.log_variance(maps).exp() + LEAST_VARIANCE
        return LowRankNormal(self.mean(maps), variance, self.factors(maps).unflatten(1, (self.logits, -1)))

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Minus the log of a mask's mean likelihood over the draws; of a random rater's mask of each image."""
        y = mask_of(batch.judged, draw_rater(batch.present))  # (B, H, W)
        likelihood = log_likelihood(self._draws(self.features(batch.image)), y, batch.counted)  # (S, B), of whole masks
        return {"likelihood": (math.log(self.config.draws) - likelihood.logsumexp(dim=0)).mean()}

    def _draws(self, normal: LowRankNormal) -> Tensor:
        # (S, B, L, H, W)
        n = self.config.draws // 2 if self.config.antithetic else self.config.draws
        shared = torch.randn(n, len(normal.mean), self.config.rank).to(normal.mean)
        pixels = torch.randn(n, *normal.mean.shape).to(normal.mean)
        draws = normal.draws(shared, pixels)
        return torch.cat([draws, 2 * normal.mean - draws]) if self.config.antithetic else draws

    def sample(self, features: LowRankNormal, noise: Noise) -> Tensor:
        """Draws of the logits; a volume's slices share the noise of the factors."""
        shared = noise.normal("factors", self.config.rank)  # (S, N, rank)
        return features.draws(shared, noise.normal("pixels", *features.mean.shape[1:], per_slice=True))
