"""STAPLE as a row: the raters' masks fused by expectation-maximisation."""

import numpy as np

from mrbench.consensus import Rules, staple
from mrbench.data.description import Description
from mrbench.interfaces.fusion import Trial
from mrbench_consensus.config import StapleOptions


def fuse(
    masks: np.ndarray,
    present: np.ndarray,
    n: int,
    noise: np.random.Generator,
    config: StapleOptions,
    description: Description,
    valid: np.ndarray | None = None,
) -> Trial:
    """The probability W as the consensus, scored against every rater present; void pixels are no evidence."""
    return Trial(consensus=staple(masks, present, description.n_classes, Rules(**dict(config)), valid).probability)
