"""Options of the Probabilistic U-Net."""

from typing import Literal

from mrbench.configuration import loss_option, option
from mrbench.nn.backbone import Backbone
from mrbench.nn.encoder import Encoder
from mrbench.nn.training import NetworkTraining


class ProbUNetConfig(NetworkTraining):
    """Options of ``prob-unet``; the defaults are the paper's."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    encoder: Encoder = option(Encoder(), "of prior and posterior")
    reconstruction: Literal["cross-entropy", "dice"] = loss_option(
        "cross-entropy", "cross-entropy: summed over pixels, mean over the batch; dice: over the whole batch"
    )
    kl_weight: float = loss_option(1.0, "of KL(q(z|x, y) || p(z|x)), summed over the latent, mean over the batch", ge=0)
    norm_weight: float = loss_option(0.0, "of the L2 norms of prior, posterior and head, its last layer left out", ge=0)
