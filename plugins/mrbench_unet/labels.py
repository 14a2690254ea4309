"""U-Nets of the raters' marginals: how often a pixel is marked, and nothing of which pixels go together."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method, Probabilities
from mrbench.interfaces.noise import Noise
from mrbench.nn.level_sets import level_sets
from mrbench.nn.losses import cross_entropy, logits_to_probability, soft_cross_entropy
from mrbench.nn.raters import draw_rater, label_shares, mask_of
from mrbench_unet.config import UNetConfig
from mrbench_unet.method import Segmenter


class UNetSoft(Method[UNetConfig]):
    """The label of a pixel is the share of the raters present who gave each class; samples are level sets."""

    stage_name = "unet"

    def __init__(self, config: UNetConfig, description: Description) -> None:
        super().__init__(config, description)
        self.raters, self.classes = description.n_raters, description.n_classes
        self.unet = Segmenter(config, len(description.channels), self.classes)

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy with the raters' shares, mean over pixels."""
        shares = label_shares(batch.judged, batch.present, self.classes)
        return {"cross_entropy": soft_cross_entropy(self.unet(batch.image), shares, batch.counted)}

    def features(self, x: Tensor) -> Tensor:
        """``(N, K, H, W)`` the probability."""
        return logits_to_probability(self.unet(x), self.classes)

    def sample(self, features: Tensor, noise: Noise) -> Probabilities:
        """The level set at a level that is uniform and independent of the other draws'."""
        return Probabilities(level_sets(features, noise.uniform("level")))


class UNetRanks(UNetSoft):
    """Rank r = 1..R of ranked raters is the level set p > 1 - (r - 1/2) / R."""

    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Probabilities:
        level = torch.full((1, len(features)), (rater + 0.5) / self.raters, device=features.device)
        return Probabilities(level_sets(features, level))


class UNetRandom(UNetSoft):
    """The label is the mask of one of the raters present, drawn anew for every image and step.

    Its loss is, in the mean over the draws, that of :class:`UNetSoft`, and so is its gradient.
    """

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy with one random rater's mask of each image, mean over pixels."""
        masks = mask_of(batch.masks, draw_rater(batch.present))
        return {"cross_entropy": cross_entropy(self.unet(batch.image), masks, valid=batch.counted)}
