"""Leave one rater out: how well one person stands for the others."""

from collections.abc import Iterator

import numpy as np

from mrbench.interfaces.fusion import Trial


def left_out(present: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each rater present with the others who are, ``(R,)`` bool; nothing where fewer than two are present."""
    if np.count_nonzero(present) < 2:
        return
    for rater in np.flatnonzero(present):
        yield int(rater), present & (np.arange(present.size) != rater)


def fuse(masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:
    """Each rater's mask as the consensus, scored against the other raters present.

    One trial per rater present. A rater who marked nothing is a consensus like any other. No trial where fewer than two
    raters are present.
    """
    for rater, others in left_out(present):
        yield Trial(consensus=masks[rater], truth=others)
