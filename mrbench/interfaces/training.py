"""How the default stage of a method trains; light, so that planning needs no torch."""

from typing import Literal

from mrbench.configuration import Config, added_option, option
from mrbench.interfaces.schedule import Schedule


class TrainingOptions(Config):
    """How a method is trained where it has no stages of its own."""

    epochs: int = option(100, "epochs at most", ge=1)
    batch_size: int = option(12, "slices per step", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)
    schedule: Schedule = option("cosine", "of the learning rates over the epochs")
    patience: int | None = option(20, "epochs without a lower validation loss before training stops", ge=1)
    keep: Literal["best", "last"] = added_option("best", "weights of the lowest validation loss, or those of the end")
