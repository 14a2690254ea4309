"""Deep ensembles: one method trained from several seeds."""

from collections.abc import Sequence

from mrbench.interfaces.wrapper import View, Wrapper
from mrbench_wrappers.config import EnsembleConfig


class Ensemble(Wrapper[EnsembleConfig]):
    """Every member sees the image as it is."""

    def views(self, shape: tuple[int, ...]) -> Sequence[View]:
        """One of each member."""
        return [View(member) for member in range(self.config.k)]
