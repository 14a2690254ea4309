"""What is predicted for pixels and which raters mark them: all that calibration, ranking and variance are made of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.metrics.arrays import Array, is_floating, patterns, total
from mrbench.metrics.counting import joint_histogram, popcount
from mrbench.metrics.overlap import validate_grids, validate_masks, validate_probabilities
from mrbench.metrics.tables import MAX_RATERS


@dataclass(frozen=True, eq=False)
class Shares:
    """The pixels of one class, by what is predicted for them and by who marks them: E entries.

    Attributes:
        total: ``(E,)`` samples that mark the pixel (int64), or the sum of their probabilities (float64).
        n: S, what ``total`` is out of.
        pattern: ``(E,)`` int64, bit r is set where rater r marks the pixel.
        pixels: ``(E,)`` int64, how many pixels each entry stands for.
        raters: ``(R,)`` the bits of the raters who are present.
    """

    total: np.ndarray
    n: int
    pattern: np.ndarray
    pixels: np.ndarray
    raters: np.ndarray

    @cached_property
    def predicted(self) -> np.ndarray:
        """``(E,)`` float64 share of the samples, or their mean probability."""
        return self.total / self.n

    @cached_property
    def marked(self) -> np.ndarray:
        """``(E,)`` int64 how many raters mark the pixel."""
        return popcount(self.pattern)

    @cached_property
    def marked_by(self) -> np.ndarray:
        """``(R, E)`` int64, 1 where a rater marks the pixel."""
        return self.pattern >> self.raters[:, None] & 1


def shares_of(tables: CaseTables, label: int) -> Shares:
    """The votes of the samples on one class, or of a consensus-only method's one output; made once per case."""
    key = "shares", label
    if key not in tables.shared:
        _, votes, pattern, pixels = tables.votes[tables.votes[:, 0] == label].T
        tables.shared[key] = Shares(votes, len(tables.sample_rows), pattern, pixels, tables.truth_raters)
    found: Shares = tables.shared[key]
    return found


def count_shares(raters: Array, samples: Array) -> Shares:
    """Shares of the masks ``(R, *spatial)`` of raters, and of samples ``(S, *spatial)``, masks or probabilities.

    Raises:
        ValueError: raters' masks that are not boolean, or too many of them; samples that are neither boolean nor
            probabilities; different grids.
    """
    validate_masks("raters", raters)
    _validate_number(len(raters))
    if is_floating(samples):
        validate_probabilities(samples)
    else:
        validate_masks("samples", samples)
    validate_grids(raters, samples)
    return _entries(total(samples), len(samples), patterns(raters), len(raters))


def count_votes(raters: Array, samples: Array) -> Shares:
    """:func:`count_shares` of boolean masks only."""
    validate_masks("samples", samples)
    return count_shares(raters, samples)


def _entries(total: np.ndarray, n: int, pattern: np.ndarray, n_raters: int) -> Shares:
    if total.dtype == np.int64:
        votes, distinct, pixels = joint_histogram(total, pattern, len(total)).T
        return Shares(votes, n, distinct, pixels, np.arange(n_raters))
    _validate_range(total, n)
    return Shares(total, n, pattern, np.ones(len(total), np.int64), np.arange(n_raters))


def _validate_range(total: np.ndarray, n: int) -> None:
    inside = (total >= 0) & (total <= n)  # False of what is not a number
    if not inside.all():
        raise ValueError(f"probabilities must lie in [0, 1]; got a mean of {total[~inside][0] / n}")


def _validate_number(n_raters: int) -> None:
    if n_raters > MAX_RATERS:
        raise ValueError(f"at most {MAX_RATERS} raters can be told apart; got {n_raters}")
