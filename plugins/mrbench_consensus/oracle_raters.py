"""The raters themselves, asked again: what a sampler scores that knows the distribution of every rater's masks."""

from collections.abc import Callable

import numpy as np

from mrbench.interfaces.fusion import Trial


def fuse(
    masks: np.ndarray,
    present: np.ndarray,
    n: int,
    noise: np.random.Generator,
    redraw: Callable[[int, int], np.ndarray],
) -> Trial:
    """Redraws of the raters present, scored against every rater present; no stored mask is read.

    The prediction of a rater is their redraw 0. Sample s is redraw 1 + s of a rater drawn uniformly with replacement,
    so that samples and predictions are independent of one another, and the first samples are the same for every larger
    ``n``.
    """
    raters = np.flatnonzero(present).tolist()
    return Trial(
        samples=[redraw(rater, 1 + s) for s, rater in enumerate(noise.choice(raters, size=n).tolist())],
        raters={rater: redraw(rater, 0) for rater in raters},
    )
