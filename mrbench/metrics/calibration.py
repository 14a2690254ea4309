"""Calibration counts: how a mean probability compares with the raters, in integers that no order can change."""

from functools import cache

import numpy as np

from mrbench.metrics.counting import index_patterns, rater_patterns

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
