"""D-Persona's stage II (Wu et al., CVPR 2024): each rater is a query into draws from the frozen prior of stage I.

Z counts the dimensions of the latent, F = K - 1 the foreground classes, B in a bank its latents.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from mrbench.interfaces.method import Batch
from mrbench.nn.convolutional import Convolutional
from mrbench.nn.latent_unet import LatentUNet
from mrbench.nn.losses import channel_dice_loss, logits_to_probability
from mrbench.nn.personalisation import Personalisation
from mrbench.nn.raters import foreground


class Queries(Convolutional):
    """A query into the latent space for each rater: ``(B, 16, H, W)`` maps to ``(B, R, Z)``, not negative."""

    def __init__(self, config: Personalisation, maps: int, latent: int, raters: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(_query(config, maps, latent) for _ in range(raters))

    def forward(self, maps: Tensor) -> Tensor:
        """The mean of each head's output over the image."""
        return self.convolved(self._of_each, maps).mean(dim=(3, 4))

    def find(self, rater: int, maps: Tensor, bank: Tensor) -> Tensor:
        """``(S, N, Z)`` what one rater's query finds in banks ``(S, N, B, Z)``, from maps ``(N, 16, H, W)``."""
        query = self.convolved(self.heads[rater], maps).mean(dim=(2, 3))  # (N, Z)
        return attend(query[:, None], bank)[:, :, 0]

    def _of_each(self, maps: Tensor) -> Tensor:
        return torch.stack([head(maps) for head in self.heads], dim=1)  # (B, R, Z, h, w)


def _query(config: Personalisation, maps: int, latent: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number, (inner, outer) in enumerate(pairwise((maps, *config.widths, latent))):
        layers += [nn.AvgPool2d(2, ceil_mode=True)] if number else []
        layers += [nn.Conv2d(inner, outer, 3, padding=config.padding), nn.ReLU(inplace=True)]
        layers += [nn.Dropout2d(config.dropout)]
        layers += [nn.Conv2d(outer, outer, 3, padding=config.padding), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def attend(query: Tensor, bank: Tensor) -> Tensor:
    """``(..., R, Z)`` for each rater the mean of the bank ``(..., B, Z)``, weighted by softmax of query x latent."""
    return (query @ bank.mT).softmax(dim=-1) @ bank


def raters_loss(network: LatentUNet, queries: Queries, bank: Tensor, batch: Batch) -> Tensor:
    """Dice loss of the raters' own maps; a channel per rater and foreground class. Absent raters count nothing.

    Args:
        network: of stage I, frozen.
        bank: draws from its prior, ``(B, N, Z)``.
        batch: with the masks.
    """
    features = network.backbone(batch.image)  # (B, 16, H, W)
    logits = network.fcomb(features, attend(queries(features), bank))  # (B, R, L, H, W)
    probability = logits_to_probability(logits, network.classes)[:, :, 1:]  # (B, R, F, H, W)
    masks = foreground(batch.judged, network.classes)
    counted = batch.present[:, :, None].expand(-1, -1, network.classes - 1)
    return channel_dice_loss(probability.flatten(1, 2), masks.flatten(1, 2), counted.flatten(1, 2), batch.counted)
