"""A random rater: how well one person is predicted by picking another."""

from collections.abc import Iterator

import numpy as np

from mrbench.interfaces.fusion import Trial
from mrbench_consensus.leave_one_out import left_out


def fuse(masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:
    """Each rater as the only truth of a trial; every answer is the mask of a random other rater present.

    Samples are drawn uniformly with replacement; the prediction of the rater who is the truth is one more such draw.
    Every rater has noise of their own and the prediction is drawn first, so that the first samples are the same for
    every larger ``n``. A rater who marked nothing is drawn like any other. No trial where fewer than two are present.
    """
    noises = noise.spawn(present.size)
    for rater, others in left_out(present):
        own, *sampled = noises[rater].choice(np.flatnonzero(others), size=1 + n)
        yield Trial(samples=masks[sampled], raters={rater: masks[own]}, truth=np.arange(present.size) == rater)
