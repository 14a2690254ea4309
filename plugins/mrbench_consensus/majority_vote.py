"""Majority vote: what at least half of the raters marked."""

import numpy as np

from mrbench.consensus import majority_vote
from mrbench.data.description import Description
from mrbench.interfaces.fusion import Trial


def fuse(masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator, description: Description) -> Trial:
    """One consensus, scored against every rater present."""
    return Trial(consensus=majority_vote(masks[present], description.n_classes))
