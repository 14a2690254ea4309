"""Options of the toy methods."""

from mrbench import Config
from mrbench.configuration import option, prediction_option


class ToyConfig(Config):
    behaviour: str = option("fine", "what it does")
    epochs: int = option(3, "epochs", ge=1)
    seconds: float = option(0.0, "pause per step")
    shift: float = prediction_option(0.0, "added to every sample's logits")
