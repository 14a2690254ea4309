"""The choice of the encoder from an image to a low-dimensional Gaussian; light, so that planning needs no torch."""

from typing import TYPE_CHECKING, Any

from mrbench.configuration import Config, option

if TYPE_CHECKING:
    from mrbench.nn.gaussian import GaussianEncoder


class Encoder(Config):
    """How large the latent and the encoders of prior and posterior are."""

    latent: int = option(6, "dimensions of the latent", ge=1)
    widths: tuple[int, ...] = option((16, 32, 64, 128, 256), "channels of the scales", min_length=1)
    convolutions: int = option(3, "3x3 convolutions per scale", ge=1)


COMPACT_ENCODER: dict[str, Any] = {"encoder.widths": (4, 8, 16, 32), "encoder.convolutions": 2}
"""Beside the backbone of preset ``compact``: its scales, a quarter of its channels.

A prior of an image with one channel has 18,840 parameters, .08 of the backbone, as the published one has of its own.
"""


def build_encoder(config: Encoder, in_channels: int, groups: int = 1) -> "GaussianEncoder":
    """``(B, groups * in_channels, H, W)`` to a Gaussian over ``(B, latent)``, or ``(B, groups, latent)``."""
    from mrbench.nn.gaussian import GaussianEncoder

    return GaussianEncoder(in_channels, config.latent, config.widths, config.convolutions, groups)
