"""A U-Net with a MiT-B2 encoder, without a segmentation head."""

from mrbench.nn.encoder_decoder import EncoderDecoder
from mrbench.nn.mix_transformer import STAGES, MixTransformer


class MiTUNet(EncoderDecoder):
    """MiT-B2 encoder, five decoder levels of 256, 128, 64, 32 and 16 maps; the last two have no skip connection.

    The encoder has no map at half the resolution. 27,470,592 parameters with one input channel.

    Args:
        in_channels: C.
    """

    least = 32

    def __init__(self, in_channels: int) -> None:
        super().__init__(MixTransformer(in_channels), [channels for channels, *_ in STAGES])
