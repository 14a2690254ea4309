"""When two values are the same: the one answer for stars, letters, ranks and counts of ties."""

import numpy as np

TIE = 1e-12
"""Values that differ by no more are the same: sums in another order differ by less."""


def tied(values: np.ndarray) -> np.ndarray:
    """The values, of any shape, such that those that are the same are equal, for ranking."""
    order = np.sort(values, axis=None)
    steps = np.diff(order, prepend=order[:1]) > TIE
    first = order[np.maximum.accumulate(np.where(steps, np.arange(len(order)), 0))]
    return first[np.searchsorted(order, values)]
