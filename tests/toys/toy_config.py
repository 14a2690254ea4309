"""Options of the toy methods."""

from functools import cache

from mrbench import Config
from mrbench.configuration import option, prediction_option
from mrbench.errors import UsageError


class ToyConfig(Config):
    behaviour: str = option("fine", "what it does")
    epochs: int = option(3, "epochs", ge=1)
    seconds: float = option(0.0, "pause per step")
    shift: float = prediction_option(0.0, "added to every sample's logits")

    def check(self, description):
        if self.behaviour == "unfit":
            raise UsageError("option 'epochs' is odd", expected="an even number", found=str(self.epochs))
        if self.behaviour == "check-raises":
            raise ZeroDivisionError("a fault of the author's")


@cache
def __getattr__(name):
    """The options with another behaviour: ``toy_config:too_few``."""
    if name.startswith("__"):
        raise AttributeError(name)
    return ToyConfig.with_defaults(behaviour=name.replace("_", "-"))
