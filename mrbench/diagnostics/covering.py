"""How many samples are distinct: the covering number of a set under a distance. Axis letters: S samples."""

from itertools import combinations

import numpy as np

EXACT = 12
"""Samples up to which every subset is tried; of more, what is found greedily bounds the number from above."""

RADIUS = 0.25
"""Of the raters' own distance."""


def covering_number(distance: np.ndarray, radius: float) -> int:
    """Fewest of S samples such that each is within ``radius`` of one of them.

    Exact up to S = 12; of more a greedy bound, at most 1 + ln S times too many.

    Args:
        distance: ``(S, S)``, S >= 1.
    """
    near = distance <= radius
    bound = _greedy(near)
    if len(near) > EXACT:
        return bound
    return next((size for size in range(1, bound) if _covers(near, size)), bound)


def _greedy(near: np.ndarray) -> int:
    left, chosen = np.ones(len(near), bool), 0
    while left.any():
        left &= ~near[np.argmax((near & left).sum(axis=1))]
        chosen += 1
    return chosen


def _covers(near: np.ndarray, size: int) -> bool:
    return any(near[list(some)].any(axis=0).all() for some in combinations(range(len(near)), size))
