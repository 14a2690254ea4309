"""STAPLE as a row: the raters' masks fused by expectation-maximisation."""

from collections.abc import Iterator

import numpy as np

from mrbench.consensus import Rules, staple
from mrbench.data.description import Description
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.interfaces.fusion import Fusion, Trial
from mrbench_consensus.config import StapleOptions


class StapleFusion(Fusion[StapleOptions]):
    """The probability W as the consensus, scored against every rater present; no trial where nobody is."""

    def __init__(self, config: StapleOptions, description: Description) -> None:
        super().__init__(config, description)
        self.rules = Rules(**dict(config))

    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:
        if present.any():
            estimate = staple(masks, present, self.description.n_classes, self.rules)
            yield Trial(present, [Draw(DrawKind.CONSENSUS, estimate.probability)])
