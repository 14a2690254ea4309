"""Is a mean probability a frequency? Calibration counts, in integers that no order can change, and their metrics."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mrbench.interfaces.case_tables import CaseTables, Predictions
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.counting import index_patterns, rater_patterns
from mrbench.metrics.keyed import by_class, by_rater, one_per_rater
from mrbench.metrics.protocol import ScoringProtocol

BINS = 15
"""Equal-width bins of the mean probability."""

_FINEST = 52
"""Bits after the point at most: those of a float64 between one half and one."""

_INTEGERS = np.float64(1 << 52)


def fraction_bits(pixels: int) -> int:
    """Bits after the point with which a sum of probabilities over that many pixels stays below 2^62."""
    return min(_FINEST, 62 - pixels.bit_length())


def bins_of(probability: np.ndarray, bins: int = BINS) -> np.ndarray:
    """``(n,)`` bin of each probability ``(n,)``; one on an edge belongs below it."""
    # ceil(p * bins) would misplace edges such as 7/15, which no float64 product meets exactly.
    return np.searchsorted(_edges(bins), probability, side="left")


@cache
def _edges(bins: int) -> np.ndarray:
    return np.arange(1, bins) / bins


def calibration_counts(probability: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """``(E, 5)`` int64 rows [bin, rater pattern, pixels, sum of p, sum of p^2], ascending; only those that occur.

    Sums are integers, in units of 2^-:func:`fraction_bits`: each pixel is rounded once, then addition is exact.

    Args:
        probability: ``(pixels,)`` float64 in [0, 1].
        marked: ``(R, pixels)`` uint8, 1 where a rater marks the pixel.
    """
    rest = beyond_background(probability, np.any(marked, axis=0))
    return counts_beyond_background(probability, rest, marked[:, rest])


def beyond_background(probability: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """``(n,)`` places of pixels that are not in bin 0 or that some rater marks, from ``(pixels,)`` float64 and bool."""
    return np.flatnonzero(marked | (probability > 1 / BINS))


def counts_beyond_background(probability: np.ndarray, rest: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """:func:`calibration_counts` from all probabilities and the raters' marks ``(R, n)`` of the rest alone.

    Most of an image is certain background: it is one entry, and only the rest is sorted.
    """
    scale = float(1 << fraction_bits(len(probability)))
    sums = _fixed(probability * scale), _fixed(probability * probability * scale)
    entries = _grouped(bins_of(probability[rest]), rater_patterns(marked), [values[rest] for values in sums])
    if len(rest) == len(probability):
        return entries
    left = [int(values.sum()) - int(of_rest) for values, of_rest in zip(sums, entries[:, 3:].sum(axis=0), strict=True)]
    return np.concatenate([np.array([[0, 0, len(probability) - len(rest), *left]]), entries])


def _fixed(values: np.ndarray) -> np.ndarray:
    """Nearest int64 of float64 in [0, 2^52], half to even; ``values`` are overwritten."""
    # From 2^52 on, float64 are the integers, and the last bits of 2^52 + n are n.
    values += _INTEGERS
    found = values.view(np.int64)
    found -= _INTEGERS.view(np.int64)
    return found


def _grouped(bins: np.ndarray, patterns: np.ndarray, values: list[np.ndarray]) -> np.ndarray:
    distinct, index = index_patterns(patterns)
    place = bins * len(distinct) + index
    if len(place) == 0:
        return np.zeros((0, 5), np.int64)
    # Of small integers, sorting is counting.
    place = place.astype(np.min_scalar_type(BINS * len(distinct)))
    order = np.argsort(place, kind="stable")
    pixels = np.bincount(place)
    occurring = np.flatnonzero(pixels)
    pixels = pixels[occurring]
    start = np.cumsum(pixels) - pixels
    # Integer sums: bincount would add floats.
    sums = [np.add.reduceat(column[order], start) for column in values]
    return np.array([occurring // len(distinct), distinct[occurring % len(distinct)], pixels, *sums]).T


@dataclass(frozen=True, eq=False)
class Calibration:
    """The calibration counts of one class in floats, E entries.

    Attributes:
        raters: ``(R,)`` columns of those who are the truth.
        bins: ``(E,)`` bin of the mean probability p.
        marked_by: ``(R, E)`` 0 or 1, does a rater mark these pixels?
        pixels, total, square: ``(E,)`` their number and the sums of p and of p^2 over them.
    """

    raters: tuple[int, ...]
    bins: np.ndarray
    marked_by: np.ndarray
    pixels: np.ndarray
    total: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, tables: CaseTables, label: int, predictions: Predictions) -> "Calibration":
        """Of a set of predictions whose mean probability is known."""
        counts = predictions.calibration
        assert counts is not None
        _, bins, pattern, pixels, total, square = counts[counts[:, 0] == label].T
        unit = 1 / (1 << fraction_bits(tables.pixels))
        raters = tables.truth_raters
        marked_by = pattern >> raters[:, None] & 1
        return cls(tuple(raters.tolist()), bins, marked_by, pixels, total * unit, square * unit)

    def errors(self, marked: np.ndarray) -> np.ndarray:
        """``(16,)`` pixels, then sum of p - mark by bin, of marks ``(E,)`` in [0, 1]; additive over cases."""
        return np.append(self.pixels.sum(), np.bincount(self.bins, self.total - marked * self.pixels, BINS))

    def brier(self, marked: np.ndarray) -> float:
        """Mean of (p - mark)^2 over the pixels, of marks ``(E,)`` in [0, 1]."""
        squares = self.square - 2 * marked * self.total + marked**2 * self.pixels
        return float(squares.sum() / self.pixels.sum())


_FACTS: Any = {
    "direction": "lower",
    "range": (0.0, 1.0),
    "table": False,
    "empty": "empty masks are marks of 0 like any other; a class absent in every mask is missing for K > 2",
}


def _pooled_ece(total: np.ndarray) -> float:
    """Mean over the observations of abs(mean p - frequency) of their bin, from summed ``(16,)``."""
    return float(np.abs(total[1:]).sum() / total[0])


_ECE: Any = {"pooled": _pooled_ece, "citation": "Guo et al. 2017, eq. 3", **_FACTS}


@metric(
    "ece",
    "calibration error of the samples' mean probability against all raters, 15 bins, pixels of a fold together",
    needs="samples",
    **_ECE,
)
def score_ece(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """Sum over the bins of abs(sum of p - sum of marks) / number of pairs of a pixel and a rater (Guo et al., eq. 3).

    ``(16,)`` against the raters pooled: as many observations of each pixel as there are raters. Missing where the mean
    probability is not known.
    """
    return _ece(tables, tables.samples)


@metric("ece@raters", "ece of the mean of the set with one prediction per rater", needs="raters", **_ECE)
def score_ece_of_raters(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """As ``ece``, with S = R."""
    return _ece(tables, one_per_rater(tables))


@metric("ece_rater", "ece against each rater alone, mean over the raters", needs="samples", **_ECE)
def score_ece_rater(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """As ``ece`` with the marks of one rater: ``(16,)`` of each."""

    def values(label: int) -> dict[int, np.ndarray]:
        found = Calibration.of(tables, label, tables.samples)
        return {rater: found.errors(marked) for rater, marked in zip(found.raters, found.marked_by, strict=True)}

    return by_rater(tables, _rows(tables.samples), values)


_BRIER: Any = {"citation": "Brier 1950", **_FACTS}


@metric(
    "brier",
    "squared difference of the samples' mean probability and the raters' marks, mean over pixels and raters",
    needs="samples",
    **_BRIER,
)
def score_brier(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """Mean over pixels and raters of (p - mark)^2 (Brier 1950); missing where the mean probability is not known."""
    return _brier(tables, tables.samples)


@metric("brier@raters", "brier of the mean of the set with one prediction per rater", needs="raters", **_BRIER)
def score_brier_of_raters(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """As ``brier``, with S = R."""
    return _brier(tables, one_per_rater(tables))


@metric("brier_rater", "brier against each rater alone, mean over the raters", needs="samples", **_BRIER)
def score_brier_rater(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """As ``brier`` with the marks of one rater."""

    def values(label: int) -> dict[int, float]:
        found = Calibration.of(tables, label, tables.samples)
        return {rater: found.brier(marked) for rater, marked in zip(found.raters, found.marked_by, strict=True)}

    return by_rater(tables, _rows(tables.samples), values)


@metric(
    "brier_share",
    "squared difference of the samples' mean probability and the share of the raters, mean over the pixels",
    needs="samples",
    **_FACTS,
)
def score_brier_share(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """Mean over pixels of (p - share of the raters who mark)^2: ``brier`` less the raters' own variance."""

    def value(label: int) -> float:
        found = Calibration.of(tables, label, tables.samples)
        return found.brier(found.marked_by.mean(axis=0))

    return by_class(tables, _rows(tables.samples), value)


def _ece(tables: CaseTables, predictions: Predictions) -> Statistics:
    def value(label: int) -> np.ndarray:
        found = Calibration.of(tables, label, predictions)
        return len(found.raters) * found.errors(found.marked_by.mean(axis=0))

    return by_class(tables, _rows(predictions), value)


def _brier(tables: CaseTables, predictions: Predictions) -> Statistics:
    def value(label: int) -> float:
        found = Calibration.of(tables, label, predictions)
        return float(np.mean([found.brier(marked) for marked in found.marked_by]))

    return by_class(tables, _rows(predictions), value)


def _rows(predictions: Predictions) -> np.ndarray:
    """Of the set, none where its mean probability is not known."""
    return predictions.rows[:0] if predictions.calibration is None else predictions.rows
