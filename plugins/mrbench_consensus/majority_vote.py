"""Majority vote: what at least half of the raters marked."""

from collections.abc import Iterator

import numpy as np

from mrbench.consensus import majority_vote
from mrbench.interfaces.draw import Draw, DrawKind, one_hot
from mrbench.interfaces.fusion import Fusion, Trial
from mrbench_consensus.config import NoOptions


class MajorityVote(Fusion[NoOptions]):
    """One consensus, scored against every rater present; no trial where nobody is."""

    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:
        if present.any():
            classes = self.description.n_classes
            labels = majority_vote(masks[present], classes)
            yield Trial(present, [Draw(DrawKind.CONSENSUS, one_hot(labels, classes))])
