"""How large a difference is, beside how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.statistics.equality import TIE


@dataclass(frozen=True)
class Effect:
    """Sizes of the paired differences of the subjects; positive where B has the larger values.

    Attributes:
        rank_biserial: matched-pairs rank-biserial correlation, -1 to 1: the share of the rank sum in favour of B less
            that in favour of A (Kerby 2014); 1 means that all subjects agree. 0 where no subject differs.
        standardised: mean over standard deviation of the differences (Cohen's d_z, 1988), in standard deviations of
            what *one subject* varies; None with one subject, or where they do not vary.
    """

    rank_biserial: float
    standardised: float | None


def effect(differences: Sequence[float] | np.ndarray) -> Effect:
    """The effect in the differences of the subjects ``(U,)``, B less A; those that are NaN are left out."""
    from scipy import stats

    values = np.asarray(differences, np.float64)
    values = values[np.isfinite(values)]
    moved = values[np.abs(values) > TIE]
    ranks = stats.rankdata(np.abs(moved))
    biserial = float((np.sign(moved) * ranks).sum() / ranks.sum()) if len(moved) else 0.0
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return Effect(biserial, float(values.mean()) / spread if spread > TIE else None)
