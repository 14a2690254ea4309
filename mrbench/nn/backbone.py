"""The choice of the shared network that turns an image into feature maps; light, so that planning needs no torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mrbench.configuration import Config, option

if TYPE_CHECKING:
    from mrbench.nn.feature_network import FeatureNetwork


class Backbone(Config):
    """Which network, and how large."""

    name: Literal["resnet34", "unet", "mit-b2"] = option(
        "resnet34", "resnet34: ResNet-34 U-Net; unet: small plain U-Net; mit-b2: U-Net with a MiT-B2 encoder"
    )
    width: int = option(16, "channels of the small U-Net at full resolution, doubled per level", ge=1)
    depth: int = option(4, "resolutions of the small U-Net", ge=2, le=7)
    weights: Path | None = option(None, "file with the encoder's ImageNet weights (standard names); none: from scratch")


def build_backbone(config: Backbone, in_channels: int) -> "FeatureNetwork":
    """The network: ``(B, in_channels, H, W)`` to ``(B, out_channels, H, W)`` for any H and W.

    Raises:
        UsageError: the weights file is missing or not the encoder's, or weights are given for the plain U-Net.
    """
    from mrbench.nn.mit_unet import MiTUNet
    from mrbench.nn.pretrained import load_mit_b2_weights, load_resnet34_weights
    from mrbench.nn.resnet_unet import ResNetUNet
    from mrbench.nn.unet import UNet

    if config.name == "unet":
        refuse_weights(config)
        return UNet(in_channels, width=config.width, depth=config.depth)
    network: ResNetUNet | MiTUNet
    if config.name == "mit-b2":
        network, load = MiTUNet(in_channels), load_mit_b2_weights
    else:
        network, load = ResNetUNet(in_channels), load_resnet34_weights
    if config.weights is not None:
        load(network.encoder, config.weights)
    return network


def refuse_weights(config: Backbone) -> None:
    """Refuses weights for a network that there are none of.

    Raises:
        UsageError: ``backbone.weights`` is set.
    """
    from mrbench.errors import UsageError

    if config.weights is not None:
        raise UsageError(
            "option 'backbone.weights' needs the backbone resnet34 or mit-b2",
            expected="backbone.name = resnet34 or mit-b2",
            found=f"backbone.name = {config.name}",
        )
