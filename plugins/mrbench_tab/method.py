"""TAB (Liao et al. 2023): a query for each rater and one for all, each giving a low-rank normal over the logits.

Q = R + 1 counts the queries, L the logits per pixel, N the rank.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise
from mrbench.nn.losses import cross_entropy, logit_channels, start_from_background
from mrbench.nn.low_rank_normal import LowRankNormal
from mrbench_tab.config import TabConfig
from mrbench_tab.network import QueryNetwork

LEAST_VARIANCE = 1e-5


class Tab(Method[TabConfig]):
    """Query 0 gives the raters' common distribution, query r + 1 that of rater r."""

    stage_name = "tab"

    def __init__(self, config: TabConfig, description: Description) -> None:
        super().__init__(config, description)
        self.raters, self.classes = description.n_raters, description.n_classes
        self.logits = logit_channels(self.classes)
        outputs = self.logits * (2 + config.rank)
        self.network = QueryNetwork(
            config.backbone,
            config.transformer,
            len(description.channels),
            self.raters + 1,
            outputs,
            scaled=config.attention_scale == "mean1",
        )
        start_from_background(self.network.outputs, config.background_log_odds, self.logits)

    def features(self, x: Tensor) -> LowRankNormal:
        """Every query's distribution."""
        outputs = self.network(x)
        shape = (len(outputs), self.raters + 1, -1, *outputs.shape[2:])
        parts = outputs.reshape(shape)  # (B, Q, L (2 + N), H, W)
        mean, variance, factors = torch.split(parts, [self.logits, self.logits, self.logits * self.config.rank], dim=2)
        return LowRankNormal(mean, variance.abs() + LEAST_VARIANCE, self._factors(factors))

    def _factors(self, maps: Tensor) -> Tensor:
        # (B, Q, L, N, H, W) from (B, Q, L N, H, W)
        batch, queries, _, height, width = maps.shape
        if self.config.factor_layout == "permuted":
            return maps.view(batch, queries, self.logits, self.config.rank, height, width)
        scrambled = maps.reshape(batch, queries, self.logits, height, width, self.config.rank)
        return scrambled.movedim(-1, 3)

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy of a sample for each rater, of the common distribution and of the rater's own."""
        every = self.features(batch.image)
        common = _drawn(_answering(every, [0] * self.raters))  # (B, R, L, H, W)
        own = _drawn(_answering(every, slice(1, None)))
        return {
            "common": cross_entropy(common, batch.masks, batch.present, batch.counted),
            "raters": self.config.rater_weight * cross_entropy(own, batch.masks, batch.present, batch.counted),
        }

    def as_rater(self, features: LowRankNormal, rater: int, noise: Noise) -> Tensor:
        return features.mean[None, :, rater + 1]

    def sample(self, features: LowRankNormal, noise: Noise) -> Tensor:
        """Draws of the common distribution; a volume's slices share the noise of the low-rank part."""
        common = _answering(features, 0)
        shared = noise.normal("factors", self.config.rank)  # (S, N, rank)
        return common.draws(shared, noise.normal("pixels", *common.mean.shape[1:], per_slice=True))


def _answering(every: LowRankNormal, queries: int | slice | list[int]) -> LowRankNormal:
    """The distributions of some of the queries."""
    return LowRankNormal(every.mean[:, queries], every.variance[:, queries], every.factors[:, queries])


def _drawn(normal: LowRankNormal) -> Tensor:
    """``(B, Q, L, H, W)`` one reparameterised draw with torch's global generator."""
    shared = torch.randn(1, *normal.mean.shape[:2], normal.factors.shape[3], device=normal.mean.device)
    return normal.draws(shared, torch.randn_like(normal.mean)[None])[0]
