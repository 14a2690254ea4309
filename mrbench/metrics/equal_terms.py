"""A method beside another reader, on equal terms: both predict a rater who is held out.

Each present rater is held out in turn; the other R - 1 stand for people. Values are the method's less theirs, so that 0
says "as another reader", whatever S and R are. The fourth construction, of the whole distribution, is ``ged_unbiased``:
twice the method's fair energy score less that of the others (:func:`energy_score`).
"""

from collections.abc import Callable
from functools import cache
from math import comb
from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Overlaps
from mrbench.interfaces.metric import Key, Statistics, metric
from mrbench.metrics.arrays import Array
from mrbench.metrics.counting import THRESHOLDS, levels
from mrbench.metrics.distance import draws_independently, has_two_raters
from mrbench.metrics.keyed import by_class
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import DICE_OF_EMPTY, count_overlaps, dice_of, dice_ratio, iou_of
from mrbench.metrics.protocol import STRICT, ScoringProtocol
from mrbench.metrics.shares import Shares, shares_of


@raters_first
def energy_score(raters: Array, samples: Array, *, protocol: ScoringProtocol = STRICT) -> float:
    """Fair energy score under d = 1 - IoU: mean d(q, y) - mean d(q, q') / 2, a sample's pair with itself left out.

    Its expectation depends on neither S nor R (Ferro 2014), lower is better. With a rater held out, the samples of a
    method and the masks of the others can be scored alike; of the others, the mean over all raters is half of
    ``ged_aa_unbiased``.

    Args:
        raters: ``(R, *spatial)`` bool.
        samples: ``(S, *spatial)`` bool, S >= 2.
        protocol: decides on two empty masks.

    Raises:
        ValueError: fewer than two samples; otherwise as :func:`~mrbench.metrics.ged`.
    """
    s = len(samples)
    if s < 2:
        raise ValueError(f"energy_score needs two samples, whose distance is a part of it; got {s}")
    distance = 1 - iou_of(count_overlaps(raters, samples), protocol)
    among = distance[:s, :s].sum() - np.trace(distance[:s, :s])
    return float(distance[:s, s:].mean() - among / (s * (s - 1)) / 2)


def expected_best(values: np.ndarray, k: int) -> np.ndarray:
    """``(R,)`` expected greatest of k of the S values ``(S, R)``, drawn without replacement; k <= S."""
    return _weights_of_best(len(values), k) @ np.sort(values, axis=0)


@cache
def _weights_of_best(s: int, k: int) -> np.ndarray:
    """``(S,)`` chance that the i-th smallest of S values is the greatest of k."""
    return np.array([comb(i, k - 1) / comb(s, k) for i in range(s)])


@cache
def exceeding(total: int, n: int) -> np.ndarray:
    """``(total + 1, 5)`` chance that the share of n masks exceeds each threshold of soft Dice, by the votes of all.

    The n are drawn from ``total`` masks without replacement, of which so many mark the pixel as the row says.
    """
    return _drawn(total, n) @ _exceeds(n)


def _drawn(total: int, n: int) -> np.ndarray:
    """``(total + 1, n + 1)`` chance of so many marks among n masks of ``total`` (hypergeometric)."""
    ways = comb(total, n)
    return np.array([[comb(v, a) * comb(total - v, n - a) / ways for a in range(n + 1)] for v in range(total + 1)])


def _exceeds(n: int) -> np.ndarray:
    """``(n + 1, 5)`` 1 where a share of so many of n masks exceeds a threshold."""
    return (levels(np.arange(n + 1), n)[:, None] > np.arange(len(THRESHOLDS))).astype(float)


@cache
def exceeding_both(raters: int, n: int) -> np.ndarray:
    """``(R + 1, 5)`` chance that n raters and the other R - n both exceed each threshold, by the votes of all R."""
    first, rest = _exceeds(n), _exceeds(raters - n)
    chance = _drawn(raters, n)
    # Of v marks, a are among the n, and v - a among the rest.
    left = [[rest[v - a] if 0 <= v - a <= raters - n else 0 * rest[0] for a in range(n + 1)] for v in range(raters + 1)]
    found: np.ndarray = np.einsum("va,at,vat->vt", chance, first, np.array(left))
    return found


def halves_of(shares: Shares) -> np.ndarray | None:
    """``(20,)`` expected pixels, of the method and of people: shared and summed by two halves, at five thresholds.

    Half of the raters, R // 2 of them, are beside the others; so are as many samples. Expectations are over all halves
    and all choices of samples, each exact from the votes, and unbiased for any S and R. None where samples are fewer.
    """
    r, s = len(shares.raters), shares.n
    n = r // 2
    if s < n:
        return None
    own, marked = exceeding(s, n)[shares.total], shares.marked
    others, truth = exceeding(r, n)[marked], exceeding(r, r - n)[marked]
    pairs = ((own * truth, own + truth), (exceeding_both(r, n)[marked], others + truth))
    return np.array([[shares.pixels @ shared, shares.pixels @ total] for shared, total in pairs]).ravel()


def soft_difference(total: np.ndarray) -> float:
    """Soft Dice of the method less that of people, from summed :func:`halves_of`; 1 where both sides are empty."""
    shared, summed = np.moveaxis(total.reshape(2, 2, -1), 1, 0)
    dice = np.divide(2 * shared, summed, out=np.ones_like(summed), where=summed > 0).mean(axis=1)
    return float(dice[0] - dice[1])


def among_raters(overlaps: Overlaps, protocol: ScoringProtocol) -> np.ndarray:
    """``(R, R)`` Dice of each two raters."""
    s = overlaps.n_predicted
    return dice_ratio(overlaps.shared[s:, s:], overlaps.totals[s:, s:], protocol)


def majorities(shares: Shares, protocol: ScoringProtocol) -> np.ndarray:
    """``(R,)`` Dice of each rater with the majority of the others; ties are foreground."""
    marked = shares.marked_by.astype(bool)
    majority = 2 * (shares.marked - marked) >= len(shares.raters) - 1
    total = majority @ shares.pixels + marked @ shares.pixels
    return dice_ratio((majority & marked) @ shares.pixels, total, protocol)


_FACTS: Any = {"direction": "higher", "range": (-1.0, 1.0), "table": False, "empty": DICE_OF_EMPTY}
_OF_SAMPLES: Any = {"needs": "samples", "applies": draws_independently, **_FACTS}
_OF_ONE: Any = {"needs": "consensus", "applies": has_two_raters, **_FACTS}


@metric("dice_max_minus_readers", "dice_max of R - 1 samples less that of the R - 1 other raters", **_OF_SAMPLES)
def score_dice_max_minus_readers(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean over r of E max Dice(s, r) over R - 1 of the samples, less max Dice(r', r) over the other raters.

    The expectation over all choices of R - 1 samples is exact, by order statistics. Missing where samples are fewer,
    where R is one, and where samples take turns.
    """

    def value(overlaps: Overlaps) -> float | None:
        others = overlaps.n_raters - 1
        if overlaps.n_predicted < others:
            return None
        among = among_raters(overlaps, protocol)
        np.fill_diagonal(among, -1)
        return float((expected_best(dice_of(overlaps, protocol), others) - among.max(axis=0)).mean())

    return _of_samples(tables, lambda label: value(tables.overlaps(label, tables.sample_rows)))


@metric(
    "dice_soft_minus_readers",
    "soft Dice of as many samples as half of the raters less that of the half, with the other half, pixels of a fold "
    "together",
    pooled=soft_difference,
    **{**_OF_SAMPLES, "empty": "a threshold that neither side exceeds anywhere in a fold: Dice 1"},
)
def score_dice_soft_minus_readers(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """``(20,)``: expected pixels at five thresholds, over all halves of R // 2 raters and choices of R // 2 samples.

    Shared with the other raters' share, and summed with it; of the samples, then of the raters. The value is the mean
    Dice of summed pixels: a case's own ratio would depend on S. Missing where samples are fewer, where R is one, and
    where samples take turns.
    """
    return _of_samples(tables, lambda label: halves_of(shares_of(tables, label)))


@metric("dice_minus_reader", "Dice of the one output with a rater less that of another rater", **_OF_ONE)
def score_dice_minus_reader(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean over r of Dice(consensus, r), less mean over the other raters r' of Dice(r', r); missing where R is one."""

    def people(label: int, overlaps: Overlaps) -> float:  # noqa: ARG001
        r = overlaps.n_raters
        among = among_raters(overlaps, protocol)
        np.fill_diagonal(among, 0)
        return float(among.sum() / (r * (r - 1)))

    return _of_one_output(tables, protocol, people)


@metric("dice_minus_majority", "Dice of the one output with a rater less that of the majority of the others", **_OF_ONE)
def score_dice_minus_majority(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:
    """Mean over r of Dice(consensus, r) - Dice(majority of the others, r), ties foreground; missing where R is one."""

    def people(label: int, overlaps: Overlaps) -> float:  # noqa: ARG001
        return float(majorities(shares_of(tables, label), protocol).mean())

    return _of_one_output(tables, protocol, people)


def _of_samples(tables: CaseTables, value: Callable[[int], float | np.ndarray | None]) -> Statistics:
    return by_class(tables, tables.sample_rows, value) if draws_independently(tables, Key(1)) else {}


def _of_one_output(
    tables: CaseTables, protocol: ScoringProtocol, people: Callable[[int, Overlaps], float]
) -> Statistics:
    if not has_two_raters(tables, Key(1)):
        return {}
    row = np.arange(tables.n_predicted - tables.has_consensus, tables.n_predicted)

    def value(label: int) -> float:
        overlaps = tables.overlaps(label, row)
        return float(dice_of(overlaps, protocol).mean()) - people(label, overlaps)

    return by_class(tables, row, value)
