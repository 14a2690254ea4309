"""The conditional variational U-Net: feature maps, a prior over a low-dimensional latent, and a head for both."""

from dataclasses import dataclass

from torch import Tensor, nn

from mrbench.interfaces.latents import Latent
from mrbench.interfaces.noise import Noise
from mrbench.nn.backbone import Backbone, build_backbone
from mrbench.nn.encoder import Encoder, build_encoder
from mrbench.nn.fcomb import Fcomb, norm_penalty
from mrbench.nn.gaussian import DiagonalGaussian
from mrbench.nn.losses import logit_channels, start_from_background


@dataclass(frozen=True, eq=False)
class Encoded:
    """Images behind the networks that every draw shares.

    Attributes:
        maps: ``(N, 16, H, W)``.
        prior: p(z|x), ``(N, Z)``.
        image: ``(N, C, H, W)``, which posteriors see.
    """

    maps: Tensor
    prior: DiagonalGaussian
    image: Tensor

    def latent(self, posterior: DiagonalGaussian) -> Latent:
        """z with posteriors ``(N, R, Z)``, or ``(N, 1, Z)``, for diagnostics."""
        return Latent(posterior.density(1), self.prior.for_each().density(1))

    def latents(self, epsilon: Tensor) -> Tensor:
        """``(S, N, ..., Z)`` draws of the prior from standard normal noise of that shape."""
        shape = (len(self.maps), *[1] * (epsilon.dim() - 3), -1)
        return self.prior.mean.view(shape) + self.prior.deviation.view(shape) * epsilon


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

    def encode(self, x: Tensor) -> Encoded:
        """What every draw for images ``(N, C, H, W)`` shares."""
        return Encoded(self.backbone(x), self.prior(x), x)

    def decode(self, maps: Tensor, z: Tensor) -> Tensor:
        """``(S, N, L, H, W)`` logits of p(y|x, z) from maps ``(N, 16, H, W)`` and latents ``(S, N, Z)``."""
        logits: Tensor = self.fcomb(maps, z.transpose(0, 1))
        return logits.transpose(0, 1)

    def sample(self, encoded: Encoded, noise: Noise) -> Tensor:
        """``(S, N, L, H, W)`` logits of draws of the prior."""
        return self.decode(encoded.maps, encoded.latents(noise.normal("z", encoded.prior.mean.shape[1])))
