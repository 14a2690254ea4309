"""One U-Net with an output for each rater."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise
from mrbench.nn.backbone import build_backbone
from mrbench.nn.losses import cross_entropy, logit_channels, start_from_background
from mrbench_unet.config import UNetConfig


class UNetHeads(Method[UNetConfig]):
    """The raters share all but a 1x1 convolution to logits, which each has of their own."""

    stage_name = "unet"

    def __init__(self, config: UNetConfig, description: Description) -> None:
        super().__init__(config, description)
        self.backbone = build_backbone(config.backbone, len(description.channels))
        maps, logits = self.backbone.out_channels, logit_channels(description.n_classes)
        self.heads = nn.ModuleList(nn.Conv2d(maps, logits, 1) for _ in range(description.n_raters))
        for head in self.heads:
            start_from_background(head, config.background_log_odds)

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy of each rater's output with the rater's masks, mean over the pixels of all present masks."""
        maps = self.backbone(batch.image)
        logits = torch.stack([head(maps) for head in self.heads], dim=1)  # (B, R, L, H, W)
        return {"cross_entropy": cross_entropy(logits, batch.masks, batch.present, batch.counted)}

    def features(self, x: Tensor) -> Tensor:
        return self.backbone(x)

    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Tensor:
        return self.heads[rater](features)[None]
