"""Generalised energy distance between the samples of a method and the raters, under d = 1 - IoU."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mrbench.metrics.arrays import Array
from mrbench.metrics.overlap import Overlaps, count_overlaps, iou_of
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


def ged_parts(samples: Array, raters: Array, protocol: ScoringProtocol = STRICT) -> GedParts:
    """The parts of :func:`ged`."""
    return ged_parts_of(count_overlaps(samples, raters), protocol)


def ged(samples: Array, raters: Array, protocol: ScoringProtocol = STRICT) -> float:
    """Generalised energy distance (ProSeg eq. 20), 0 for identical sets, at most 2.

    Its expectation falls with the number of samples even for a perfect sampler, by d (1/S + 1/R): values at different
    S do not compare.

    Args:
        samples: ``(S, *spatial)`` bool.
        raters: ``(R, *spatial)`` bool, the raters who are present.
        protocol: of two empty masks, ``strict`` says distance 0, ``published`` distance 1.
    """
    return ged_parts(samples, raters, protocol).ged


def ged_unbiased(samples: Array, raters: Array, protocol: ScoringProtocol = STRICT) -> float:
    """GED without the pairs of a mask with itself: unbiased in S and R, and maybe negative.

    For independent samples only: a set with one prediction per rater would be rewarded for being a set.

    Args:
        samples: ``(S, *spatial)`` bool, S >= 2.
        raters: ``(R, *spatial)`` bool, R >= 2.
        protocol: decides on two empty masks.

    Raises:
        ValueError: fewer than two samples or raters.
    """
    value = ged_unbiased_of(count_overlaps(samples, raters), protocol)
    if value is None:
        raise ValueError(f"ged_unbiased needs two samples and two raters; got {len(samples)} and {len(raters)}")
    return value
