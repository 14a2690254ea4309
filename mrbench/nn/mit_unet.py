"""A U-Net with a MiT-B2 encoder, without a segmentation head: the decoder of the ResNet-34 U-Net on other maps."""

from torch import Tensor, nn

from mrbench.nn.feature_network import FeatureNetwork
from mrbench.nn.mix_transformer import STAGES, MixTransformer
from mrbench.nn.resnet_unet import DECODER, DecoderBlock


class MiTUNet(FeatureNetwork):
    """MiT-B2 encoder, five decoder levels of 256, 128, 64, 32 and 16 maps; the last two have no skip connection.

    The encoder has no map at half the resolution. 27,470,592 parameters with one input channel.

    Args:
        in_channels: C.
    """

    out_channels = DECODER[-1]
    multiple = 32
    least = 32

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.encoder = MixTransformer(in_channels)
        *skips, deepest = (channels for channels, *_ in STAGES)
        deep = (deepest, *DECODER[:-1])
        skip = (*reversed(skips), 0, 0)
        self.decoder = nn.ModuleList(
            DecoderBlock(inner + side, outer) for inner, side, outer in zip(deep, skip, DECODER, strict=True)
        )

    def features(self, x: Tensor) -> Tensor:
        """``(B, 16, H, W)`` from ``(B, C, H, W)``."""
        *skips, x = self.encoder(x)
        for block in self.decoder:
            x = block(x, skips.pop() if skips else None)
        return x
