"""Confusion-matrix networks, in the papers' order: the truth's distribution, each rater's matrix, loss, predictions.

P counts the (image, rater) pairs of a step.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method, Probabilities, Stage
from mrbench.interfaces.noise import Noise
from mrbench.nn.backbone import build_backbone
from mrbench.nn.losses import (
    logit_channels,
    logits_to_probability,
    probability_dice_loss,
    start_from_background,
    weighted_mean,
)
from mrbench.nn.raters import pairs_of
from mrbench_confusion.config import ConfusionConfig, PixelConfusionConfig
from mrbench_confusion.matrices import GlobalMatrices, LowRankMatrices, PixelMatrices, said, start

LEAST = 1e-7
"""Probabilities are kept from zero by this much before the logarithm."""


class ConfusionMatrices(Method[ConfusionConfig]):
    """p(truth|x) from a network; rater r says A_r p(truth|x). ``cm-global``."""

    stage_name = "confusion"

    def __init__(self, config: ConfusionConfig, description: Description) -> None:
        super().__init__(config, description)
        self.raters, self.classes = description.n_raters, description.n_classes
        self.backbone = build_backbone(config.backbone, len(description.channels))
        self.truth = nn.Conv2d(self.backbone.out_channels, logit_channels(self.classes), 1)
        start_from_background(self.truth, config.background_log_odds)
        self.matrices = self._matrices() if config.matrix == "confusion" else None

    def _matrices(self) -> nn.Module:
        return GlobalMatrices(self.raters, start(self.classes, self.config.diagonal, self.config.off_diagonal))

    def stages(self) -> Sequence[Stage]:
        return [self.stage(rates={"matrices": self.config.matrix_learning_rate})]

    # Tanno et al. 2019, eq. 7; Zhang et al. 2020, eq. 8: means over pixels and pairs where the papers have sums

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """The raters' cross-entropy and the trace of their matrices."""
        image, rater = pairs_of(batch.present, one=self.config.raters_per_image == "one")  # (P,) each
        maps, truth = (values[image] for values in self.features(batch.image))  # (P, 16, H, W), (P, K, H, W)
        y, valid = batch.judged[image, rater], batch.counted_of(image)  # (P, H, W) each, or all pixels count
        if self.matrices is None:
            return {"raters": self._loss(truth, y, valid)}
        matrices = self.matrices(maps, rater)  # (P, K, K, H, W)
        trace = weighted_mean(matrices.diagonal(dim1=1, dim2=2).sum(dim=-1), valid)
        return {"raters": self._loss(said(matrices, truth), y, valid), "trace": self.config.trace_weight * trace}

    def _loss(self, probability: Tensor, y: Tensor, valid: Tensor | None) -> Tensor:
        if self.config.loss == "dice":
            return probability_dice_loss(probability, y, valid)
        logarithm = probability.clamp_min(LEAST).log().contiguous()
        if valid is None:
            return functional.nll_loss(logarithm, y)
        return weighted_mean(functional.nll_loss(logarithm, y, reduction="none"), valid)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.backbone(x)
        return maps, logits_to_probability(self.truth(maps), self.classes)

    def as_rater(self, features: tuple[Tensor, Tensor], rater: int, noise: Noise) -> Probabilities:
        maps, truth = features
        if self.matrices is not None:
            truth = said(self.matrices(maps, torch.full((len(maps),), rater, device=maps.device)), truth)
        return Probabilities(truth[None])

    def consensus(self, features: tuple[Tensor, Tensor], noise: Noise) -> Probabilities:
        """p(truth|x), the papers' main output."""
        return Probabilities(features[1][None])


class PixelConfusionMatrices(ConfusionMatrices):
    """The same with a matrix at every pixel. ``cm-pixel``."""

    config: PixelConfusionConfig

    def _matrices(self) -> nn.Module:
        config, maps = self.config, self.backbone.out_channels
        if config.rank is None:
            return PixelMatrices(self.raters, maps, start(self.classes, config.diagonal, config.off_diagonal))
        return LowRankMatrices(self.raters, maps, self.classes, config.rank, config.diagonal, config.off_diagonal)
