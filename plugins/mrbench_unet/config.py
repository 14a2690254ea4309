"""Options of the U-Net baselines."""

from mrbench.configuration import option
from mrbench.nn.backbone import Backbone
from mrbench.nn.training import NetworkTraining


class UNetConfig(NetworkTraining):
    """Options of ``unet-majority``, of ``unet-staple`` and of each network of ``unet-rater``."""

    backbone: Backbone = option(Backbone(), "the network")
