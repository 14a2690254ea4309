"""Several tests at once."""

from collections.abc import Sequence

import numpy as np

LEVEL = 0.05
"""Below it a corrected p tells two methods apart."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Corrected p-values, in the same order: the chance of any false one among them stays below the level.

    Holm (Scandinavian Journal of Statistics 1979, 6:65-70): the smallest of m times m, the next times m - 1, each at
    least as large as the one before and at most 1. Valid however the tests depend on each other.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    scaled = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(scaled, 1.0)
    return corrected.tolist()
