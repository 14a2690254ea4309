"""Diagonal Gaussians: the encoder that the Probabilistic U-Net and D-Persona share, and divergences in closed form."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn import functional

from mrbench.nn.convolutional import Convolutional


@dataclass(frozen=True, eq=False)
class DiagonalGaussian:
    """Independent normals of any shape.

    Attributes:
        mean: of each element.
        log_variance: of each element, same shape.
    """

    mean: Tensor
    log_variance: Tensor

    @property
    def deviation(self) -> Tensor:
        """Standard deviation of each element."""
        return (0.5 * self.log_variance).exp()

    def for_each(self) -> "DiagonalGaussian":
        """With an axis of length one after the batch: one prior ``(B, 1, ...)`` beside many posteriors."""
        return DiagonalGaussian(self.mean[:, None], self.log_variance[:, None])

    def density(self, event: int) -> Distribution:
        """The distribution whose last ``event`` axes are one draw."""
        return Independent(Normal(self.mean, self.deviation, validate_args=False), event, validate_args=False)

    def sample(self) -> Tensor:
        """One reparameterised draw with torch's global generator."""
        return self.mean + self.deviation * torch.randn_like(self.mean)

    def samples(self, n: int) -> Tensor:
        """``(B, n, ...)`` reparameterised draws of a Gaussian over ``(B, ...)`` with torch's global generator."""
        batch, *rest = self.mean.shape
        noise = torch.randn(batch, n, *rest, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean[:, None] + self.deviation[:, None] * noise


def gaussian_kl(q: DiagonalGaussian, p: DiagonalGaussian) -> Tensor:
    """KL(q || p) of each element, unreduced: the caller sums or averages."""
    ratio = (q.log_variance - p.log_variance).exp()
    distance = (q.mean - p.mean) ** 2 * (-p.log_variance).exp()
    return 0.5 * (ratio + distance - 1 + p.log_variance - q.log_variance)


def gaussian_kl_to_prior(q: DiagonalGaussian, log_variance: float = 0.0) -> Tensor:
    """KL(q || N(0, e^log_variance)) of each element, unreduced; the default prior is N(0, 1)."""
    zero = torch.zeros((), device=q.mean.device, dtype=q.mean.dtype)
    return gaussian_kl(q, DiagonalGaussian(zero, zero + log_variance))


class GaussianEncoder(Convolutional):
    """An image, or an image with masks, to a Gaussian over a low-dimensional latent.

    One scale per width with ``convolutions`` 3x3 convolutions and ReLU each, 2x2 average pooling between scales (odd
    sides rounded up), the mean over the image, and a 1x1 convolution to means and log deviations (Kohl et al. 2018).
    With the defaults and one channel 1,967,724 parameters.

    Args:
        in_channels: image channels, plus one per mask that the encoder sees.
        latent: dimensions of the latent.
        widths: channels of the scales.
        convolutions: per scale.
        groups: G encoders of this shape side by side, each with inputs and weights of its own, run as one network of
            grouped convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        latent: int = 6,
        widths: tuple[int, ...] = (16, 32, 64, 128, 256),
        convolutions: int = 3,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.scales = nn.ModuleList()
        inner = groups * in_channels
        for width in (groups * w for w in widths):
            layers: list[nn.Module] = []
            for number in range(convolutions):
                convolution = nn.Conv2d(width if number else inner, width, 3, padding=1, groups=groups)
                layers += [convolution, nn.ReLU(inplace=True)]
            self.scales.append(nn.Sequential(*layers))
            inner = width
        self.moments = nn.Conv2d(inner, groups * 2 * latent, 1, groups=groups)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
                nn.init.trunc_normal_(module.bias, std=0.001, a=-0.002, b=0.002)  # type: ignore[arg-type]
        nn.init.normal_(self.moments.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> DiagonalGaussian:
        """``(B, latent)`` from ``(B, in_channels, H, W)``; ``(B, G, latent)`` from ``(B, G * in_channels, H, W)``."""
        x = self.convolved(self._maps, x)
        x = self.moments(x.mean(dim=(2, 3), keepdim=True)).flatten(1)  # (B, G * 2 * latent)
        mean, log_deviation = x.view(len(x), self.groups, -1).chunk(2, dim=2)  # (B, G, latent) each
        if self.groups == 1:
            mean, log_deviation = mean[:, 0], log_deviation[:, 0]
        return DiagonalGaussian(mean, 2 * log_deviation)

    def _maps(self, x: Tensor) -> Tensor:
        for number, scale in enumerate(self.scales):
            x = scale(functional.avg_pool2d(x, 2, ceil_mode=True) if number else x)
        return x
