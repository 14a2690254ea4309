"""The options of a training that most methods share, and the stage that follows from them; light."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from mrbench.configuration import Config, option

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mrbench.interfaces.method import Batch, Stage


class TrainingOptions(Config):
    """How networks are trained."""

    background_log_odds: float = option(
        0.0, "of the background against each foreground class before training; above 0 a short training learns sooner"
    )
    epochs: int = option(100, "epochs at most", ge=1)
    batch_size: int = option(12, "slices per step", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)
    schedule: Literal["cosine", "constant"] = option("cosine", "of the learning rates over the epochs")
    patience: int | None = option(20, "epochs without a lower validation loss before training stops", ge=1)


def joint_stage(
    name: str,
    networks: Mapping[str, "nn.Module"],
    options: TrainingOptions,
    loss: "Callable[[Batch], Mapping[str, Tensor]]",
    rates: Mapping[str, float] | None = None,
    **more: Any,
) -> "Stage":
    """A stage that trains networks together.

    Args:
        name: of the stage.
        networks: by name.
        options: of the training.
        loss: of the stage.
        rates: learning rates of networks that have one of their own.
        more: other fields of the stage.
    """
    from mrbench.interfaces.method import ParameterGroup, Stage

    own = rates or {}
    return Stage(
        name=name,
        modules=list(networks.values()),
        groups=[
            ParameterGroup(list(network.parameters()), own.get(key, options.learning_rate))
            for key, network in networks.items()
        ],
        loss=loss,
        epochs=options.epochs,
        batch_size=options.batch_size,
        schedule=options.schedule,
        patience=options.patience,
        **more,
    )
