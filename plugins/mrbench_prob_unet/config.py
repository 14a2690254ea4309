"""Options of the Probabilistic U-Net."""

from typing import Literal

from mrbench.configuration import Config, option
from mrbench.nn.backbone import Backbone
from mrbench.nn.encoder import Encoder


class ProbUNetConfig(Config):
    """Options of ``prob-unet``; the defaults are the paper's."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    encoder: Encoder = option(Encoder(), "of prior and posterior")
    reconstruction: Literal["cross-entropy", "dice"] = option(
        "cross-entropy", "cross-entropy: summed over pixels, mean over the batch; dice: over the whole batch"
    )
    kl_weight: float = option(1.0, "of KL(q(z|x, y) || p(z|x)), summed over the latent, mean over the batch", ge=0)
    norm_weight: float = option(0.0, "of the L2 norms of prior, posterior and head, its last layer left out", ge=0)
    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
    epochs: int = option(100, "epochs at most", ge=1)
    batch_size: int = option(12, "images per step", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)
    schedule: Literal["cosine", "constant"] = option("cosine", "of the learning rate over the epochs")
    patience: int | None = option(20, "epochs without a lower validation loss before training stops", ge=1)
