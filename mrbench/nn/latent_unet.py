"""The conditional variational U-Net: feature maps, a prior over a low-dimensional latent, and a head for both."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from mrbench.data.case import Image
from mrbench.nn.backbone import Backbone, build_backbone
from mrbench.nn.encoder import Encoder, build_encoder
from mrbench.nn.fcomb import Fcomb, norm_penalty
from mrbench.nn.losses import logit_channels, start_from_background
from mrbench.nn.slices import draws_at_once, draws_from_slices, run_by_slices


class LatentUNet(nn.Module):
    """p(z|x) and p(y|x, z) of the Probabilistic U-Net (Kohl et al. 2018, section 2).

    Args:
        backbone: of the feature maps.
        encoder: of the prior.
        channels: C.
        classes: K.
        log_odds: of the background against each foreground class before training.
    """

    def __init__(self, backbone: Backbone, encoder: Encoder, channels: int, classes: int, log_odds: float) -> None:
        super().__init__()
        self.classes = classes
        self.backbone = build_backbone(backbone, channels)
        self.prior = build_encoder(encoder, channels)
        self.fcomb = Fcomb(self.backbone.out_channels, encoder.latent, logit_channels(classes))
        start_from_background(self.fcomb.convolutions[-1], log_odds)

    def norms(self, posterior: nn.Module) -> Tensor:
        """Sum of the L2 norms, not squared, of prior, posterior and head without its last layer, as released."""
        encoders = [*self.prior.parameters(), *posterior.parameters()]
        return norm_penalty(iter([*encoders, *self.fcomb.inner_parameters()]))

    def encode(self, image: Image, device: torch.device) -> "Encoded":
        """What every draw of an image shares, computed once."""
        features = run_by_slices(self.backbone, image.array, device)  # (D, 16, H, W)
        mean, deviation = run_by_slices(self._moments, image.array, device).chunk(2, dim=1)  # (D, Z) each
        return Encoded(features, mean, deviation)

    def _moments(self, x: Tensor) -> Tensor:
        prior = self.prior(x)
        return torch.cat([prior.mean, prior.deviation], dim=1)

    def sample(
        self,
        image: Image,
        noise: Iterable[np.ndarray],
        device: torch.device,
        through: Callable[[Tensor], Tensor] | None = None,
    ) -> Iterator[np.ndarray]:
        """Probabilities ``(K, *spatial)`` of one prior draw per base noise ``(Z,)``; a volume's slices share it.

        ``through`` changes the draws ``(D, S, Z)`` before they are decoded; None: nothing does.
        """
        encoded, noise = self.encode(image, device), iter(noise)
        while chunk := list(islice(noise, draws_at_once(image.array, self.classes))):
            z = encoded.latents(np.stack(chunk))
            yield from self.decode(encoded.features, z if through is None else through(z), image)

    def decode(self, features: Tensor, z: Tensor, image: Image) -> np.ndarray:
        """``(S, K, *spatial)`` probabilities from maps ``(D, 16, H, W)`` and latents ``(D, S, Z)``."""
        return draws_from_slices(self.fcomb.by_slices(features, z), self.classes, image.array.ndim)


@dataclass(frozen=True, eq=False)
class Encoded:
    """The slices of one image behind the networks that every draw shares.

    Attributes:
        features: ``(D, 16, H, W)``.
        mean, deviation: of p(z|x), ``(D, Z)``.
    """

    features: Tensor
    mean: Tensor
    deviation: Tensor

    def latents(self, noise: np.ndarray) -> Tensor:
        """``(D, S, Z)`` from base noise ``(S, Z)``, standard normal."""
        epsilon = torch.from_numpy(noise.astype(np.float32)).to(self.mean.device)
        return self.mean[:, None] + self.deviation[:, None] * epsilon
