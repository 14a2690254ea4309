"""Options of the per-rater posteriors."""

from typing import Literal

from mrbench.configuration import Config, option
from mrbench.nn.backbone import Backbone
from mrbench.nn.encoder import Encoder


class PerRaterConfig(Config):
    """Options of ``per-rater``; the defaults are the thesis's."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    encoder: Encoder = option(Encoder(), "of the prior and of each rater's posterior")
    kl_weight: float = option(1.0, "of the raters' mean KL(q_i(z|x, y_i) || p(z|x)), summed over the latent", ge=0)
    bound_weight: float = option(0.5, "of the bound loss", ge=0)
    bound_samples: int = option(10, "prior samples whose largest and least probabilities are bounded", ge=1)
    norm_weight: float = option(1e-5, "of the L2 norms of prior, posteriors and head, its last layer left out", ge=0)
    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
    epochs: int = option(100, "epochs at most", ge=1)
    batch_size: int = option(12, "images per step", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)
    schedule: Literal["cosine", "constant"] = option("cosine", "of the learning rate over the epochs")
    patience: int | None = option(20, "epochs without a lower validation loss before training stops", ge=1)
