"""Options of the training that the methods on the shared networks have in common; light."""

from mrbench.configuration import option
from mrbench.interfaces.training import TrainingOptions


class NetworkTraining(TrainingOptions):
    """How networks are trained, and what they start from."""

    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
