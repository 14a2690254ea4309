"""Options of the training that the methods on the shared networks have in common; light."""

from typing import Any

from mrbench.configuration import option
from mrbench.interfaces.training import TrainingOptions

COMPACT_TRAINING: dict[str, Any] = {
    "background_log_odds": 3.0,
    "epochs": 30,
    "batch_size": 6,
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "patience": None,
    "keep": "last",
}
"""The benchmark's budget, the same for every method: so many steps of one schedule, and its end, for 64 x 64 pixels."""

COMPACT: dict[str, Any] = {**COMPACT_TRAINING, "backbone.name": "unet", "backbone.width": 16, "backbone.depth": 4}
"""Of preset ``compact``: that budget on one backbone, the plain U-Net of .24 million parameters."""


class NetworkTraining(TrainingOptions):
    """How networks are trained, and what they start from."""

    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
