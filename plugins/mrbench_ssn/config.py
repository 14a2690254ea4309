"""Options of the stochastic segmentation network."""

from mrbench.configuration import loss_option, option
from mrbench.interfaces.schedule import Schedule
from mrbench.nn.backbone import Backbone
from mrbench.nn.training import NetworkTraining


class SSNConfig(NetworkTraining):
    """Options of ``ssn``; the defaults are the paper's."""

    backbone: Backbone = option(Backbone(), "the network of the feature maps")
    rank: int = option(10, "of the low-rank part of the covariance", ge=1)
    draws: int = loss_option(20, "of the logits, whose mean likelihood is that of a mask", ge=2, multiple_of=2)
    antithetic: bool = loss_option(False, "is half of the draws the other half, mirrored at the mean?")
    learning_rate: float = option(1e-3, "of Adam", gt=0)
    schedule: Schedule = option("constant", "of the learning rate over the epochs")
