"""Generalised energy distance between the samples of a method and the raters, under d = 1 - IoU."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Overlaps
from mrbench.interfaces.metric import Key, Statistics, metric
from mrbench.metrics.arrays import Array
from mrbench.metrics.keyed import of_overlaps, one_per_rater
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


def ged_parts_unbiased_of(overlaps: Overlaps, protocol: ScoringProtocol = STRICT) -> GedParts | None:
    """The three mean distances without the pairs of a mask with itself; None where S or R is one."""
    s, r = overlaps.n_predicted, overlaps.n_raters
    if min(s, r) < 2:
        return None
    distance = 1 - iou_of(overlaps, protocol)
    np.fill_diagonal(distance, 0)
    pp, aa = distance[:s, :s].sum() / (s * (s - 1)), distance[s:, s:].sum() / (r * (r - 1))
    return GedParts(float(distance[:s, s:].mean()), float(pp), float(aa))


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
    parts = ged_parts_unbiased_of(count_overlaps(raters, samples), protocol)
    if parts is None:
        raise ValueError(f"ged_unbiased needs two raters and two samples; got {len(raters)} and {len(samples)}")
    return parts.ged


_FACTS: Any = {
    "citation": "ProSeg, eq. 20",
    "empty": "two empty masks: distance 0 (strict) or 1 (published); a class absent in every mask is missing for K > 2",
}
_GED: Any = {"direction": "lower", "range": (0.0, 2.0), **_FACTS}
_SHOWN: Any = {"direction": "neither", "range": (0.0, 1.0), "needs": "samples", **_FACTS}
_PART: Any = {"table": False, **_SHOWN}


@metric("ged", "generalised energy distance of the samples and the raters", needs="samples", **_GED)
def score_ged(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """2 pa - pp - aa of :class:`GedParts` (ProSeg eq. 20)."""
    return of_overlaps(tables, tables.samples, lambda overlaps: ged_parts_of(overlaps, protocol).ged)


@metric("ged_pp", "part of ged: mean distance of the samples among themselves", **_PART)
def score_ged_pp(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean of d over all S^2 ordered pairs of samples."""
    return of_overlaps(tables, tables.samples, lambda overlaps: ged_parts_of(overlaps, protocol).pp)


@metric("ged_aa", "part of ged: mean distance of the raters among themselves", **_PART)
def score_ged_aa(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean of d over all R^2 ordered pairs of raters."""
    return of_overlaps(tables, tables.samples, lambda overlaps: ged_parts_of(overlaps, protocol).aa)


def has_two_raters(tables: CaseTables, key: Key) -> bool:  # noqa: ARG001
    """Did two raters look at the case?"""
    return len(tables.truth_rows) > 1


def draws_independently(tables: CaseTables, key: Key) -> bool:
    """Did two raters look, and are samples independent draws?"""
    return has_two_raters(tables, key) and not tables.in_turn


@metric(
    "ged_unbiased",
    "ged without the pairs of a mask with itself, of independent draws",
    direction="lower",
    range=(-1.0, 2.0),
    needs="samples",
    applies=draws_independently,
    **_FACTS,
)
def score_ged_unbiased(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """2 pa - S pp / (S - 1) - R aa / (R - 1) where a mask is at distance 0 of itself; missing where S or R is one.

    Missing too where samples take turns: two of them then differ more than two independent draws do, by construction.
    """
    return {} if tables.in_turn else of_overlaps(tables, tables.samples, _part_without_self_pairs("ged", protocol))


@metric(
    "ged_unbiased_panel",
    "ged_unbiased where the raters present are all there are: with their pairs of a mask with itself",
    direction="lower",
    range=(-1.0, 2.0),
    needs="samples",
    applies=draws_independently,
    identified=True,
    **_FACTS,
)
def score_ged_unbiased_panel(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """2 pa - S pp / (S - 1) - aa where a mask is at distance 0 of itself: 0 for draws of the panel's own masks.

    It is ``ged_unbiased`` + ``ged_aa_unbiased`` / R, and missing where that is.
    """
    return {} if tables.in_turn else of_overlaps(tables, tables.samples, lambda own: _of_panel(own, protocol))


def _of_panel(overlaps: Overlaps, protocol: ScoringProtocol) -> float | None:
    parts = ged_parts_unbiased_of(overlaps, protocol)
    return parts and parts.ged + parts.aa / overlaps.n_raters


@metric("ged_pa", "part of ged and ged_unbiased: mean distance of samples and raters", **_SHOWN)
def score_ged_pa(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean of d over all S R pairs of a sample and a rater."""
    return of_overlaps(tables, tables.samples, lambda overlaps: ged_parts_of(overlaps, protocol).pa)


@metric(
    "ged_pp_unbiased",
    "part of ged_unbiased: mean distance of two different samples",
    applies=draws_independently,
    **_SHOWN,
)
def score_ged_pp_unbiased(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean of d over all S (S - 1) ordered pairs of different samples; missing where ``ged_unbiased`` is."""
    return {} if tables.in_turn else of_overlaps(tables, tables.samples, _part_without_self_pairs("pp", protocol))


@metric(
    "ged_aa_unbiased", "part of ged_unbiased: mean distance of two different raters", applies=has_two_raters, **_SHOWN
)
def score_ged_aa_unbiased(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean of d over all R (R - 1) ordered pairs of different raters; missing where S or R is one."""
    return of_overlaps(tables, tables.samples, _part_without_self_pairs("aa", protocol))


def _part_without_self_pairs(name: str, protocol: ScoringProtocol) -> Callable[[Overlaps], float | None]:
    return lambda overlaps: (parts := ged_parts_unbiased_of(overlaps, protocol)) and float(getattr(parts, name))


@metric("ged@raters", "ged of the set with one prediction per rater", needs="raters", **_GED)
def score_ged_of_raters(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """As ``ged``, with S = R."""
    return of_overlaps(tables, one_per_rater(tables), lambda overlaps: ged_parts_of(overlaps, protocol).ged)
