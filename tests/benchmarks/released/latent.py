"""The parts of the released Probabilistic U-Net, which D-Persona shares."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from mrbench.nn.fcomb import Fcomb
from mrbench.nn.gaussian import GaussianEncoder


class AxisAligned(nn.Module):
    """An encoder to a diagonal Gaussian of ``torch.distributions``."""

    def __init__(self, channels: int, latent: int, widths: Sequence[int], convolutions: int) -> None:
        super().__init__()
        self.latent = latent
        layers: list[nn.Module] = []
        for scale, width in enumerate(widths):
            layers += [nn.AvgPool2d(2, ceil_mode=True)] if scale else []
            for number in range(convolutions):
                inner = width if number else (widths[scale - 1] if scale else channels)
                layers += [nn.Conv2d(inner, width, 3, padding=1), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.moments = nn.Conv2d(widths[-1], 2 * latent, 1)

    def forward(self, x: Tensor) -> Independent:
        encoding = self.layers(x)
        encoding = torch.mean(encoding, dim=2, keepdim=True)
        encoding = torch.mean(encoding, dim=3, keepdim=True)
        moments = self.moments(encoding).squeeze(-1).squeeze(-1)
        return Independent(Normal(loc=moments[:, : self.latent], scale=torch.exp(moments[:, self.latent :])), 1)


def encoder_like(ours: GaussianEncoder, group: int = 0) -> AxisAligned:
    """With the weights of our encoder, or of one of its groups."""
    convolutions = [m for m in ours.scales.modules() if isinstance(m, nn.Conv2d)]
    widths = [scale[0].out_channels // ours.groups for scale in ours.scales]  # type: ignore[index]
    latent = ours.moments.out_channels // ours.groups // 2
    encoder = AxisAligned(convolutions[0].weight.shape[1], latent, widths, len(convolutions) // len(widths))
    own = [m for m in encoder.layers if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        for to, source in zip([*own, encoder.moments], [*convolutions, ours.moments], strict=True):
            to.weight.copy_(source.weight.chunk(ours.groups)[group])
            to.bias.copy_(source.bias.chunk(ours.groups)[group])  # type: ignore[union-attr]
    return encoder


class TiledHead(nn.Module):
    """1x1 convolutions on maps and a vector that is gathered to every pixel first."""

    def __init__(self, ours: Fcomb) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for source in ours.convolutions:
            own = nn.Conv2d(source.in_channels, source.out_channels, 1)  # type: ignore[arg-type]
            own.load_state_dict(source.state_dict())
            layers += [own, nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, maps: Tensor, z: Tensor) -> Tensor:
        """``(B, L, H, W)`` from ``(B, c, H, W)`` and ``(B, Z)``."""
        z = tile(tile(z[:, :, None], 2, maps.shape[2])[..., None], 3, maps.shape[3])
        return self.layers(torch.cat((maps, z), dim=1))

    @property
    def inner(self) -> nn.Module:
        """All but the last layer."""
        return self.layers[:-1]


def tile(x: Tensor, axis: int, times: int) -> Tensor:
    """``times`` copies along an axis of length one, by an index."""
    return torch.index_select(x, axis, torch.zeros(times, dtype=torch.long))


def draw(gaussian: Independent, epsilon: Tensor) -> Tensor:
    """A reparameterised sample; the base noise is given, so that it can be that of another implementation."""
    return gaussian.base_dist.loc + gaussian.base_dist.scale * epsilon


def pick(masks: Tensor, rater: Tensor) -> Tensor:
    """``(B, H, W)`` float, image by image."""
    return torch.stack([image[int(r)] for image, r in zip(masks, rater, strict=True)]).float()
