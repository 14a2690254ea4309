"""Do raters who rate a case differently also outline it differently? Correlations over the cases.

Per case, the standard deviation of each attribute over the raters who gave it, and the mean area of the masks, against
three measures of how the masks differ: the variance of the raters' marks per pixel, averaged over the whole frame or
over the pixels that somebody marked, and the mean distance of two raters. A fixed frame around objects of all sizes
makes the first a measure of size.
"""

from collections.abc import Mapping

import numpy as np

from mrbench.agreement.accumulator import SubjectSums
from mrbench.agreement.counts import CaseCounts

MEASURES = ("variance in the frame", "variance in the union", "distance")
AREA = "mean area"
"""Stands behind the attributes: how far a measure follows the size of the object."""

MOMENTS = "moments"
"""The quantity that :func:`moments` is summed under; ``(A + 1, 3, 6)``."""


def moments(counts: CaseCounts, attributes: Mapping[str, np.ndarray], distance: float) -> np.ndarray:
    """``(A + 1, 3, 6)`` of one case: 1, x, y, x², y², xy for each attribute's x and each measure's y.

    Zero where an attribute was rated by fewer than two raters or a measure has no value. Two classes only.

    Args:
        counts: of the case.
        attributes: (A,) by name, ``(R,)`` each, NaN where a rater gave none.
        distance: mean distance of two raters, NaN where there are not two.
    """
    looked = counts.looked
    spreads = [_spread(values[looked]) for values in attributes.values()]
    x = np.array([*spreads, counts.areas[0, looked].mean()])[:, None]  # (A + 1, 1)
    y = np.array([*_variances(counts), distance])[None]  # (1, 3)
    terms = np.broadcast_arrays(np.ones(1), x, y, x * x, y * y, x * y)
    found = np.stack(terms, axis=-1)
    found[np.isnan(found[..., 5])] = 0
    return found


def correlations(sums: SubjectSums, weights: np.ndarray) -> dict[str, np.ndarray]:
    """``correlation`` ``(T, A + 1, 3)``, Pearson's r over cases under weights ``(T, U)``; nothing without attributes.

    NaN with fewer than three cases, or where one side does not vary.
    """
    if not sums.has(MOMENTS):
        return {}
    n, x, y, xx, yy, xy = np.moveaxis(sums.total(MOMENTS, weights), -1, 0)
    # n² times the variances; rounding leaves a little of what is exactly zero.
    vx, vy = n * xx - x * x, n * yy - y * y
    varies = (n > 2) & (vx > 1e-12 * n * xx) & (vy > 1e-12 * n * yy)
    missing = np.full(n.shape, np.nan)
    return {"correlation": np.divide(n * xy - x * y, np.sqrt(np.maximum(vx * vy, 0)), out=missing, where=varies)}


def _spread(ratings: np.ndarray) -> float:
    given = ratings[~np.isnan(ratings)]
    return float(given.std()) if len(given) > 1 else float("nan")


def _variances(counts: CaseCounts) -> tuple[float, float]:
    if np.count_nonzero(counts.looked) < 2:
        return float("nan"), float("nan")
    share = counts.votes[1] / np.count_nonzero(counts.looked)
    total = float((share * (1 - share)) @ counts.counts)
    union = int(counts.counts[share > 0].sum())
    return total / int(counts.counts.sum()), total / union if union else float("nan")
