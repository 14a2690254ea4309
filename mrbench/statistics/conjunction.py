"""On how many data sets something holds: partial conjunction tests (Benjamini & Heller, Biometrics 2008, 64:1215-1222).

That it holds on at least u of n data sets is tested by the n - u + 1 largest p: where fewer hold, all of those but
u - 1 are of data sets on which it does not. Combined by Bonferroni, which is valid however the data sets depend on each
other: one that keeps its patients in two versions is no second witness.
"""

from collections.abc import Sequence

import numpy as np

from mrbench.statistics.correction import LEVEL, holm


def partial_conjunction(p_values: Sequence[float]) -> list[float]:
    """For u = 1 .. n, the p of "it holds on at least u of the n data sets"; never less than for fewer.

    The u-th smallest times n - u + 1: the claims that pass are as many as Holm rejects among the data sets.
    """
    p = np.sort(np.asarray(p_values, np.float64))
    return np.minimum(np.maximum.accumulate(p * np.arange(len(p), 0, -1)), 1.0).tolist()


def least_counts(families: Sequence[Sequence[float]], level: float = LEVEL) -> list[int]:
    """For each of several methods, on how many data sets at least it holds.

    For every u, "on at least u" is corrected by Holm over the methods that were tested on as many: the chance of any
    false one among them stays below the level.

    Args:
        families: of each method, a p per data set; data sets may differ.
    """
    found = [partial_conjunction(own) for own in families]
    counts = [0] * len(found)
    for u in range(max(map(len, found), default=0)):
        asked = [place for place, own in enumerate(found) if len(own) > u]
        for place, p in zip(asked, holm([found[place][u] for place in asked]), strict=True):
            if p < level and counts[place] == u:
                counts[place] = u + 1
    return counts
