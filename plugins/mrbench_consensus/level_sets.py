"""Level sets of the vote count: what can be had by knowing how many raters marked a pixel, and not who."""

import numpy as np

from mrbench.data.description import Description, Raters
from mrbench.interfaces.fusion import Trial


def level_sets(masks: np.ndarray) -> np.ndarray:
    """The pixels that at least 1, 2, ... R of the raters marked, from the union to the intersection.

    Args:
        masks: ``(R, *spatial)`` of 0 and 1, raters who are present only.

    Returns:
        ``(R, *spatial)`` bool, each inside the one before; the last ones are empty where a rater marked nothing.
    """
    votes = np.count_nonzero(masks, axis=0)
    return np.stack([votes >= level for level in range(1, len(masks) + 1)])


def cycled(levels: int, n: int) -> list[int]:
    """Which of the level sets, counted from 0, each of n samples is.

    The levels take turns, from the middle outwards: each appears n / R times rounded down or up, those that appear once
    more lie around the middle, the first n samples are the same for every larger n, and the first one is the majority
    vote.
    """
    turns = sorted(range(levels), key=lambda level: abs(2 * level - (levels - 1)))
    return [turns[s % levels] for s in range(n)]


def fuse(masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator, description: Description) -> Trial:
    """Nested level sets of the vote count as samples; on ``ranked`` raters also as the raters' predictions.

    With R raters present, the i-th smallest (i from 0) gets the pixels with at least R - i votes: the smallest the
    intersection, the largest the union. Raters of other kinds get no prediction, because a vote count knows no person.
    Absent raters are skipped in the ranking. One trial against every rater present.
    """
    sets = level_sets(masks[present])
    ranked = dict(zip(np.flatnonzero(present).tolist(), sets[::-1], strict=True))
    return Trial(samples=sets[cycled(len(sets), n)], raters=ranked if description.raters is Raters.RANKED else None)
