"""U-Nets that give one answer: for what the raters agree on, or for each rater."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from operator import itemgetter

import numpy as np
from torch import Tensor, nn

from mrbench.consensus import majority_vote, staple_batch
from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.interfaces.noise import Noise
from mrbench.nn.backbone import build_backbone
from mrbench.nn.losses import cross_entropy, logit_channels, start_from_background
from mrbench_unet.config import UNetConfig


class Segmenter(nn.Module):
    """Backbone and a 1x1 convolution to logits: ``(B, C, H, W)`` to ``(B, L, H, W)``."""

    def __init__(self, config: UNetConfig, channels: int, classes: int) -> None:
        super().__init__()
        self.backbone = build_backbone(config.backbone, channels)
        self.head = nn.Conv2d(self.backbone.out_channels, logit_channels(classes), 1)
        start_from_background(self.head, config.background_log_odds)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


class UNetConsensus(Method[UNetConfig]):
    """One network for one label of each slice, made of its raters' masks; its answer stands for everybody."""

    stage_name = "unet"

    def __init__(self, config: UNetConfig, description: Description) -> None:
        super().__init__(config, description)
        self.unet = Segmenter(config, len(description.channels), description.n_classes)

    def stages(self) -> Sequence[Stage]:
        return [self.stage(fuse=self.fuse)]

    @abstractmethod
    def fuse(self, masks: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The labels of slices, ``(N, H, W)`` uint8, from ``(N, R, H, W)`` and ``(N, R)``; each has a present rater."""

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy with the label, mean over pixels."""
        return {"cross_entropy": cross_entropy(self.unet(batch.image), batch.masks[:, 0], valid=batch.counted)}

    def consensus(self, features: Tensor, noise: Noise) -> Tensor:
        return self.unet(features)[None]


class UNetMajority(UNetConsensus):
    """The label is the majority vote of the raters present."""

    def fuse(self, masks: np.ndarray, present: np.ndarray) -> np.ndarray:
        classes = self.description.n_classes
        votes = [majority_vote(each[looked], classes) for each, looked in zip(masks, present, strict=True)]
        return np.stack(votes).astype(np.uint8)


class UNetStaple(UNetConsensus):
    """The label is the one of highest probability in the STAPLE of the raters present, the lowest on a tie."""

    def fuse(self, masks: np.ndarray, present: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
        found = staple_batch(masks, present, self.description.n_classes, valid=valid)
        return np.stack([estimate.labels for estimate in found])


class UNetRater(Method[UNetConfig]):
    """R networks, each trained on the images that its rater looked at."""

    def __init__(self, config: UNetConfig, description: Description) -> None:
        super().__init__(config, description)
        for r in range(description.n_raters):
            self.add_module(f"rater-{r}", Segmenter(config, len(description.channels), description.n_classes))

    def logits(self, rater: int, x: Tensor) -> Tensor:
        """``(B, L, H, W)`` of one rater's network, for images ``(B, C, H, W)``."""
        return self.get_submodule(f"rater-{rater}")(x)

    def stages(self) -> Sequence[Stage]:
        """One per rater, independent of each other."""
        return [
            self.stage([name], name=name, loss=partial(self.rater_loss, r), uses=itemgetter((slice(None), r)))
            for r, (name, _) in enumerate(self.named_children())
        ]

    def rater_loss(self, rater: int, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy with one rater's masks, mean over pixels."""
        logits = self.logits(rater, batch.image)
        masks, present = batch.masks[:, rater], batch.present[:, rater]
        return {"cross_entropy": cross_entropy(logits, masks, present, batch.counted)}

    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Tensor:
        return self.logits(rater, features)[None]
