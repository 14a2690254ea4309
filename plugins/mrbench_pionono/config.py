"""Options of Pionono."""

from typing import Literal

from mrbench.configuration import loss_option, option, prediction_option
from mrbench.interfaces.schedule import Schedule
from mrbench.nn.backbone import Backbone
from mrbench.nn.training import NetworkTraining


class PiononoConfig(NetworkTraining):
    """Options of ``pionono``; the defaults are the paper's."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    latent: int = option(8, "dimensions of a rater's latent", ge=1)
    prior_deviation: float = option(2.0, "of the raters' common prior N(0, value^2 I)", gt=0)
    first_deviation: float = option(2.0, "of each rater's Gaussian before training", gt=0)
    first_spread: float = option(8.0, "standard deviation of the raters' means before training", ge=0)
    draws: int = loss_option(5, "of z per image and step; the loss is of their mean logits", ge=1)
    raters_per_image: Literal["all", "one"] = option("one", "present raters of each image in a step; one: at random")
    kl_weight: float = loss_option(5e-4, "of KL(q_r || p), mean over the batch", ge=0)
    norm_weight: float = loss_option(1e-5, "of the L2 norms of the head's parameters, its last layer left out", ge=0)
    batch_size: int = option(3, "images per step", ge=1)
    schedule: Schedule = option("late-decay", "of the learning rates over the epochs")
    patience: int | None = option(None, "epochs without a lower validation loss before training stops", ge=1)
    latent_learning_rate: float = option(0.02, "of Adam for the raters' Gaussians", gt=0)

    rater_draws: int = prediction_option(
        0, "of z whose mean logits are a rater's prediction; 0: the mean of the rater's Gaussian instead", ge=0
    )
