"""Decision patterns: which raters marked a pixel. R raters give at most 2^R of them, however large the image."""

from dataclasses import dataclass

import numpy as np

MOST_RATERS_IN_A_TABLE = 12
"""Beyond, a table of all 2^R patterns is larger than an image and the distinct ones are looked for."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """The patterns that occur, P of them.

    Attributes:
        decisions: ``(P, R)`` bool, who marked the pixels of each pattern.
        counts: ``(P,)`` int64, pixels of each pattern, all >= 1.
        codes: ``(P,)`` the code of each pattern.
        code: ``(*spatial)`` the code of each pixel's pattern.
    """

    decisions: np.ndarray
    counts: np.ndarray
    codes: np.ndarray
    code: np.ndarray

    def spread(self, values: np.ndarray) -> np.ndarray:
        """``(*spatial)`` float64 from one value per pattern, ``(P,)``."""
        table = np.zeros(self.codes[-1] + 1)
        table[self.codes] = values
        return table[self.code]


def find_patterns(masks: np.ndarray) -> Patterns:
    """The patterns of masks, ``(R, *spatial)`` of 0 and 1, R >= 1."""
    flat = masks.reshape(len(masks), -1).astype(bool)
    decisions, code = _tabulated(flat) if len(flat) <= MOST_RATERS_IN_A_TABLE else _distinct(flat)
    counts = np.bincount(code).astype(np.int64)
    codes = np.flatnonzero(counts)
    return Patterns(decisions[codes], counts[codes], codes, code.reshape(masks.shape[1:]))


def _tabulated(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All 2^R patterns, and each pixel's: the decisions as binary digits, the first rater's highest."""
    code = np.zeros(flat.shape[1], np.uint16)
    for mask in flat:
        code <<= 1
        code |= mask
    digits = np.arange(len(flat))[::-1]
    return (np.arange(2 ** len(flat))[:, None] >> digits & 1).astype(bool), code


def _distinct(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The patterns that occur, and each pixel's."""
    packed, code = np.unique(np.packbits(flat, axis=0), axis=1, return_inverse=True)
    return np.unpackbits(packed, axis=0, count=len(flat)).T.astype(bool), code.ravel()
