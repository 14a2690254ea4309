"""Masks to integers: intersection counts and vote histograms, exact at any image size."""

from collections.abc import Iterator, Sequence

import numpy as np

THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of soft Dice (ProSeg eq. 21)."""

_TENTHS = (1, 3, 5, 7, 9)
_BLOCK = 1 << 16
"""Pixels per float32 product: far below 2^24, so that every count in it is exact, and small enough for the cache."""

_DIRECT_PATTERNS = 1 << 12
"""Below this many rater patterns a histogram has a place for each; above, for those that occur."""


def pack_masks(masks: np.ndarray) -> np.ndarray:
    """``(..., ceil(pixels / 8))`` bytes from ``(..., pixels)`` booleans; the last byte is filled up with zeros."""
    return np.packbits(masks, axis=-1)


def count_bits(packed: np.ndarray) -> np.ndarray:
    """``(...)`` int64 pixels marked in packed masks ``(..., bytes)``."""
    return np.count_nonzero(np.unpackbits(packed, axis=-1), axis=-1)


def active_blocks(packed: np.ndarray) -> Iterator[np.ndarray]:
    """Bits of the bytes of packed masks ``(M, bytes)`` in which any mask has foreground: blocks ``(M, n)`` uint8."""
    active = np.flatnonzero(np.bitwise_or.reduce(packed, axis=0))
    step = _BLOCK // 8
    for at in range(0, len(active), step):
        yield np.unpackbits(np.take(packed, active[at : at + step], axis=1), axis=1)


def count_intersections(packed: np.ndarray) -> np.ndarray:
    """``(M, M)`` int64 pixels shared by each two of M packed masks ``(M, bytes)``; the diagonal holds the areas."""
    total = np.zeros((len(packed), len(packed)), np.int64)
    for bits in active_blocks(packed):
        total += _gram(bits.astype(np.float32))
    return total


def count_class(
    packed: np.ndarray, weights: Sequence[np.ndarray], n_raters: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Everything that one class of one case is reduced to, in one pass over its packed masks.

    Args:
        packed: ``(M, bytes)``, the raters in the last rows.
        weights: how often each mask counts in each of V votes, ``(M,)`` each.
        n_raters: R.

    Returns:
        Intersections ``(M, M)``, votes ``(V, n)`` and rater patterns ``(n,)``, all int64, the latter two over n pixels
        among which are all that are foreground in any mask.
    """
    shared = np.zeros((len(packed), len(packed)), np.int64)
    weights = [weight.astype(np.float32) for weight in weights]
    votes, patterns = [np.zeros((len(weights), 0), np.int64)], [np.zeros(0, np.int64)]
    for bits in active_blocks(packed):
        values = bits.astype(np.float32)
        shared += _gram(values)
        votes.append(np.array([weight @ values for weight in weights], np.int64).reshape(len(weights), bits.shape[1]))
        patterns.append(rater_patterns(bits[len(bits) - n_raters :]))
    return shared, np.concatenate(votes, axis=1), np.concatenate(patterns)


def count_votes(packed: np.ndarray, n_raters: int) -> tuple[np.ndarray, np.ndarray]:
    """Votes of the samples and rater patterns, ``(n,)`` int64 each, over the pixels of :func:`active_blocks`.

    ``packed`` is ``(S + R, bytes)``, the raters in the last rows.
    """
    votes, patterns = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for bits in active_blocks(packed):
        votes.append(bits[: len(bits) - n_raters].sum(axis=0, dtype=np.int64))
        patterns.append(rater_patterns(bits[len(bits) - n_raters :]))
    return np.concatenate(votes), np.concatenate(patterns)


def _gram(values: np.ndarray) -> np.ndarray:
    return (values @ values.T).astype(np.int64)


def rater_patterns(bits: np.ndarray) -> np.ndarray:
    """``(n,)`` int64 from ``(R, n)`` uint8: bit r is set where rater r marks the pixel."""
    pattern = np.zeros(bits.shape[1], np.int64)
    for rater in range(0, len(bits), 8):
        eight = bits[rater : rater + 8]
        byte = np.bitwise_or.reduce(eight << np.arange(len(eight), dtype=np.uint8)[:, None], axis=0)
        pattern |= byte.astype(np.int64) << rater
    return pattern


def joint_histogram(votes: np.ndarray, patterns: np.ndarray, pixels: int) -> np.ndarray:
    """``(E, 3)`` int64 rows [votes, rater pattern, pixel count], ascending; only those that occur.

    Args:
        votes, patterns: ``(n,)`` int64 over the pixels that are foreground anywhere, and maybe some that are not.
        pixels: of the whole image; the rest is background to all.
    """
    distinct, index = index_patterns(patterns)
    counts = np.bincount(votes * len(distinct) + index, minlength=1)
    counts[0] += pixels - len(votes)
    occurring = np.flatnonzero(counts)
    return np.array([occurring // len(distinct), distinct[occurring % len(distinct)], counts[occurring]]).T


def index_patterns(patterns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending patterns, among which are all that occur, and the place in them of each of ``(n,)`` int64."""
    top = int(patterns.max(initial=0))
    if top < _DIRECT_PATTERNS:
        return np.arange(top + 1), patterns
    distinct, index = np.unique(np.append(patterns, 0), return_inverse=True)
    return distinct, index[:-1]


def popcount(patterns: np.ndarray) -> np.ndarray:
    """``(E,)`` number of raters in each pattern ``(E,)`` int64."""
    as_bytes = np.ascontiguousarray(patterns, np.int64).view(np.uint8)
    return np.unpackbits(as_bytes).reshape(len(patterns), 64).sum(axis=1, dtype=np.int64)


def levels(total: np.ndarray, n: int) -> np.ndarray:
    """``(n,)`` uint8, how many of the five thresholds the share ``total / n`` exceeds strictly.

    ``10 total > k n`` instead of ``total / n > k / 10``: with integer totals exact ties (5 of 50 against 0.1) are
    ties, which neither float32 nor float64 shares can promise.
    """
    tenfold = 10 * total
    level = np.zeros(total.shape, np.uint8)
    for k in _TENTHS:
        level += (tenfold > k * n).view(np.uint8)
    return level


def threshold_counts(first: np.ndarray, second: np.ndarray, pixels: np.ndarray | None = None) -> np.ndarray:
    """``(5, 3)`` int64 counts |A|, |B|, |A and B| per threshold from two arrays of :func:`levels`, ``(n,)`` each.

    ``pixels`` ``(n,)``: how many pixels each entry stands for; default one.
    """
    side = len(THRESHOLDS) + 1
    joint = np.bincount(first.astype(np.intp) * side + second, pixels, side * side).reshape(side, side)
    # [a, b] counts the pixels that exceed at least a thresholds in one array and b in the other.
    reached = joint[::-1, ::-1].cumsum(axis=0).cumsum(axis=1)[::-1, ::-1].astype(np.int64)
    return np.array([reached[1:, 0], reached[0, 1:], reached.diagonal()[1:]]).T
