"""Options of the U-Net baselines."""

from typing import Literal

from mrbench.configuration import option
from mrbench.data.description import Description, Raters
from mrbench.errors import UsageError
from mrbench.nn.backbone import Backbone
from mrbench.nn.training import NetworkTraining


class UNetConfig(NetworkTraining):
    """Options of every row that is a U-Net, and of each network of ``unet-rater``."""

    backbone: Backbone = option(Backbone(), "the network")


class RanksConfig(UNetConfig):
    """Options of ``unet-ranks``."""

    def check(self, description: Description) -> None:
        """Refuses raters who are no ranks: a level set knows no person."""
        if description.raters is not Raters.RANKED:
            raise UsageError(
                f"unet-ranks predicts ranks, and the raters of {description.name!r} are none",
                expected="ranked raters",
                found=f"{description.raters} raters",
                hint="--method unet-soft, whose samples are of any raters, or unet-heads",
            )


class ConvolutionalBackbone(Backbone):
    """Those backbones whose central blocks are convolutions."""

    name: Literal["resnet34", "unet"] = option("resnet34", "resnet34: ResNet-34 U-Net; unet: small plain U-Net")


class DropoutConfig(UNetConfig):
    """Options of ``mc-dropout``."""

    backbone: ConvolutionalBackbone = option(ConvolutionalBackbone(), "the network")
    dropout: float = option(0.5, "share of the activations left out after the central blocks", ge=0, lt=1)
