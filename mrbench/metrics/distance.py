"""Generalised energy distance between the samples of a method and the raters, under d = 1 - IoU."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mrbench.interfaces.case_tables import Overlaps
from mrbench.metrics.arrays import Array
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import count_overlaps, iou_of
from mrbench.metrics.protocol import STRICT, ScoringProtocol


class GedParts(NamedTuple):
    """Mean distances over all ordered pairs, a mask with itself included."""

    pa: float
    """Samples to raters."""
    pp: float
    """Samples to samples."""
    aa: float
    """Raters to raters."""

    @property
    def ged(self) -> float:
        """2 pa - pp - aa (ProSeg eq. 20)."""
        return 2 * self.pa - self.pp - self.aa


@lru_cache(maxsize=16)
def ged_parts_of(overlaps: Overlaps, protocol: ScoringProtocol = STRICT) -> GedParts:
    """The three mean distances of the overlaps of S predictions and R raters.

    The latest are remembered: GED and its parts are metrics of their own.
    """
    distance, s = 1 - iou_of(overlaps, protocol), overlaps.n_predicted
    return GedParts(*(float(block.mean()) for block in (distance[:s, s:], distance[:s, :s], distance[s:, s:])))


def ged_unbiased_of(overlaps: Overlaps, protocol: ScoringProtocol = STRICT) -> float | None:
    """GED without the pairs of a mask with itself; None where S or R is one."""
    s, r = overlaps.n_predicted, overlaps.n_raters
    if min(s, r) < 2:
        return None
    distance = 1 - iou_of(overlaps, protocol)
    np.fill_diagonal(distance, 0)
    pp, aa = distance[:s, :s].sum() / (s * (s - 1)), distance[s:, s:].sum() / (r * (r - 1))
    return float(2 * distance[:s, s:].mean() - pp - aa)


@raters_first
def ged_parts(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> GedParts:
    """The parts of :func:`ged`; the two sets exchanged, ``pp`` and ``aa`` are."""
    return ged_parts_of(count_overlaps(raters, samples), protocol)


@raters_first
def ged(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Generalised energy distance (ProSeg eq. 20), 0 for identical sets, at most 2.

    Its expectation falls with the number of samples even for a perfect sampler, by d (1/S + 1/R): values at different
    S do not compare.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` bool. The two sets exchanged give the same.
        protocol: of two empty masks, ``strict`` says distance 0, ``published`` distance 1.

    Raises:
        ValueError: masks that are not boolean, of different grids, or none.
    """
    return ged_parts(raters, samples, protocol=protocol).ged


@raters_first
def ged_unbiased(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """GED without the pairs of a mask with itself: unbiased in S and R, and maybe negative.

    For independent samples only: a set with one prediction per rater would be rewarded for being a set.

    Args:
        raters: ``(R, *spatial)`` bool, R >= 2.
        samples: ``(S, *spatial)`` bool, S >= 2.
        protocol: decides on two empty masks.

    Raises:
        ValueError: fewer than two raters or samples; otherwise as :func:`ged`.
    """
    value = ged_unbiased_of(count_overlaps(raters, samples), protocol)
    if value is None:
        raise ValueError(f"ged_unbiased needs two raters and two samples; got {len(raters)} and {len(samples)}")
    return value
