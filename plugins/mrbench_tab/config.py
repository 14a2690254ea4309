"""Options of TAB."""

from typing import Literal

from mrbench.configuration import Config, loss_option, option
from mrbench.interfaces.schedule import Schedule
from mrbench.nn.backbone import Backbone
from mrbench.nn.training import NetworkTraining


class TransformerOptions(Config):
    """Size of the attention part and of the mask head."""

    width: int = option(256, "channels of tokens and queries, a multiple of 4", ge=4, multiple_of=4)
    heads: int = option(8, "attention heads, of which the width is a multiple", ge=1)
    feedforward: int = option(512, "channels between the two linear layers of a block", ge=1)
    dropout: float = option(0.1, "share of activations left out in training", ge=0, lt=1)
    head_width: int = option(128, "channels of the mask head per branch", ge=1)
    last_width: int = option(32, "channels of the mask head at full resolution", ge=1)


class TabBackbone(Backbone):
    """Those backbones whose encoder gives a map at half the resolution, which TAB's mask head ends on."""

    name: Literal["resnet34", "unet"] = option(
        "resnet34", "resnet34: ResNet-34; unet: strided convolutions, of the small U-Net's widths"
    )


class TabConfig(NetworkTraining):
    """Options of ``tab``; the defaults are the paper's."""

    backbone: TabBackbone = option(TabBackbone(), "the encoder")
    transformer: TransformerOptions = option(TransformerOptions(), "attention and mask head")
    attention_scale: Literal["sum1", "mean1"] = option(
        "sum1", "of a query's attention maps: their sum is one, or (ours) their mean, so that the queries act"
    )
    rank: int = option(7, "of the low-rank part of the covariance", ge=1)
    factor_layout: Literal["permuted", "legacy"] = option(
        "permuted", "which outputs are a pixel's factors: its own channels, or, as released, those of other pixels"
    )
    rater_weight: float = loss_option(1.0, "of the raters' own term beside the global one", ge=0)
    epochs: int = option(300, "epochs at most", ge=1)
    batch_size: int = option(8, "images per step", ge=1)
    learning_rate: float = option(5e-5, "of Adam", gt=0)
    schedule: Schedule = option("polynomial", "of the learning rates over the epochs")
