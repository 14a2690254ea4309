"""A U-Net with Monte Carlo dropout: its samples are the answers of thinned networks."""

from collections.abc import Mapping

from torch import Tensor, nn

from mrbench.data.description import Description
from mrbench.interfaces.method import Batch, Method
from mrbench.interfaces.noise import Noise
from mrbench.nn.feature_network import FeatureNetwork
from mrbench.nn.losses import cross_entropy
from mrbench.nn.raters import draw_rater, mask_of
from mrbench.nn.resnet_unet import ResNetUNet
from mrbench.nn.unet import UNet
from mrbench_unet.config import DropoutConfig
from mrbench_unet.method import Segmenter


class SampledDropout(nn.Dropout):
    """Dropout that stays where a prediction's noise is given; training draws from torch's global generator.

    Args:
        rate: share of the activations that are left out; the others are divided by 1 - rate.
        site: of the noise.
    """

    def __init__(self, rate: float, site: str) -> None:
        super().__init__(rate)
        self.site = site
        self.noise: Noise | None = None

    def forward(self, x: Tensor) -> Tensor:
        """``(S N, c, h, w)`` from the same, S draws of N slices; without noise ``(B, c, h, w)``."""
        if self.noise is None:
            return super().forward(x)
        kept = self.noise.uniform(self.site, *x.shape[1:]).flatten(0, 1) >= self.p
        return x * kept / (1 - self.p)


def central_blocks(network: FeatureNetwork) -> list[nn.Sequential]:
    """The two deepest blocks of the encoder and the two deepest of the decoder; never the last of a decoder."""
    if isinstance(network, ResNetUNet):
        deepest = [network.encoder.get_submodule(name) for name in ("layer3", "layer4")]
        found = [*deepest, *(block.get_submodule("conv2") for block in network.decoder[:2])]
    else:
        assert isinstance(network, UNet)
        found = [*network.down[-2:], *network.up[:-1][:2]]
    return [block for block in found if isinstance(block, nn.Sequential)]


class MonteCarloDropout(Method[DropoutConfig]):
    """One network; dropout follows its central blocks (Kendall et al. 2015) and stays on in samples."""

    stage_name = "unet"

    def __init__(self, config: DropoutConfig, description: Description) -> None:
        super().__init__(config, description)
        self.unet = Segmenter(config, len(description.channels), description.n_classes)
        for number, block in enumerate(central_blocks(self.unet.backbone)):
            block.append(SampledDropout(config.dropout, f"dropout-{number}"))

    def loss(self, batch: Batch) -> Mapping[str, Tensor]:
        """Cross-entropy with one random rater's mask of each image, mean over pixels."""
        masks = mask_of(batch.masks, draw_rater(batch.present))
        return {"cross_entropy": cross_entropy(self.unet(batch.image), masks, valid=batch.counted)}

    def sample(self, features: Tensor, noise: Noise) -> Tensor:
        """Each draw is the answer of one thinned network; a volume's slices share it."""
        self._give(noise)
        try:
            logits: Tensor = self.unet(features.repeat(noise.draws, 1, 1, 1))
        finally:
            self._give(None)
        return logits.view(noise.draws, len(features), *logits.shape[1:])

    def _give(self, noise: Noise | None) -> None:
        for module in self.modules():
            if isinstance(module, SampledDropout):
                module.noise = noise
