"""Options of the wrappers."""

from mrbench.configuration import prediction_option
from mrbench.interfaces.wrapper import WrapperConfig


class EnsembleConfig(WrapperConfig):
    """Options of ``ensemble``."""

    k: int = prediction_option(5, "members, each a training from a seed of its own", ge=1)

    def seeds(self, seed: int) -> tuple[int, ...]:
        """k, none of which another seed of the row has: repetitions of the row stay independent."""
        return tuple(range(seed * self.k, (seed + 1) * self.k))


class AugmentationConfig(WrapperConfig):
    """Options of ``tta``."""


class MarginalsConfig(WrapperConfig):
    """Options of ``marginals``."""

    draws: int = prediction_option(50, "samples of the member whose mean probability is taken", ge=1)
