"""Decision patterns: who gave a pixel which label. R raters of K classes give at most K^R, however large the image."""

from dataclasses import dataclass, replace

import numpy as np

CODES_AT_ONCE = 2**12
"""Codes that are numbered before those that do not occur are left out: 12 raters of two classes."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """The patterns that occur, P of them.

    Attributes:
        decisions: ``(R, P)`` integers below K, the raters' labels in each pattern.
        counts: ``(P,)`` int64, pixels of each pattern, all >= 1.
        codes: ``(P,)`` the code of each pattern, ascending.
        code: ``(*spatial)`` the code of each pixel's pattern.
    """

    decisions: np.ndarray
    counts: np.ndarray
    codes: np.ndarray
    code: np.ndarray

    def spread(self, values: np.ndarray) -> np.ndarray:
        """``(*spatial)`` from one value per pattern, ``(P,)``."""
        table = np.zeros(int(self.codes[-1]) + 1, values.dtype)
        table[self.codes] = values
        return table.take(self.code)


def find_patterns(masks: np.ndarray, classes: int = 2) -> Patterns:
    """The patterns of masks, ``(R, *spatial)`` integers below K, R >= 1, at least one pixel."""
    flat = masks.reshape(len(masks), -1)
    found = Patterns(
        np.zeros((0, 1), np.int64), np.array([flat.shape[1]]), np.zeros(1, np.int64), np.zeros(flat.shape[1], np.uint8)
    )
    while len(found.decisions) < len(flat):
        block = flat[len(found.decisions) :][: _raters_at_once(len(found.codes), classes)]
        found = _with_more_raters(found, block, classes)
    return replace(found, code=found.code.reshape(masks.shape[1:]))


def _with_more_raters(known: Patterns, block: np.ndarray, classes: int) -> Patterns:
    """The patterns with the labels of a block of raters, ``(b, pixels)``, as digits behind."""
    combinations = classes ** len(block)
    number = known.spread(np.arange(len(known.codes))) if len(known.decisions) else known.code
    code = _appended(number, len(known.codes) * combinations, block, classes)
    counts = np.bincount(code)
    codes = np.flatnonzero(counts)
    digits = codes // classes ** np.arange(len(block))[::-1, None] % classes
    return Patterns(np.concatenate([known.decisions[:, codes // combinations], digits]), counts[codes], codes, code)


def _raters_at_once(patterns: int, classes: int) -> int:
    raters = 1
    while patterns * classes ** (raters + 1) <= CODES_AT_ONCE:
        raters += 1
    return raters


def _appended(number: np.ndarray, codes: int, block: np.ndarray, classes: int) -> np.ndarray:
    # The first rater's label becomes the highest digit.
    code = number.astype(np.min_scalar_type(codes - 1))
    for mask in block:
        code *= classes
        code += mask.astype(code.dtype, copy=False)
    return code
