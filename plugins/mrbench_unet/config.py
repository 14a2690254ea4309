"""Options of the U-Net baselines."""

from typing import Literal

from mrbench.configuration import Config, option
from mrbench.nn.backbone import Backbone


class UNetConfig(Config):
    """Options of ``unet-majority``, of ``unet-staple`` and of each network of ``unet-rater``."""

    backbone: Backbone = option(Backbone(), "the network")
    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
    epochs: int = option(100, "epochs at most", ge=1)
    batch_size: int = option(12, "slices per step", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)
    schedule: Literal["cosine", "constant"] = option("cosine", "of the learning rate over the epochs")
    patience: int | None = option(20, "epochs without a lower validation loss before training stops", ge=1)
