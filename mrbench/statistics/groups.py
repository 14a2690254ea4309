"""Groups of methods that the data cannot tell apart, as letters."""

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

import numpy as np

LETTERS = ascii_lowercase + ascii_uppercase


def tie_groups(apart: np.ndarray) -> list[tuple[int, ...]]:
    """Groups such that two methods share one exactly if they are not apart; a method may be in several.

    Insert and absorb (Piepho, Journal of Computational and Graphical Statistics 2004, 13:456-466).

    Args:
        apart: ``(M, M)`` bool, symmetric: are these two told apart? In the order of the table, best first.
    """
    groups = [frozenset(range(len(apart)))] if len(apart) else []
    for one, other in np.argwhere(np.triu(apart, 1)).tolist():
        split = [group - {drop} for group in groups if {one, other} <= group for drop in (one, other)]
        groups = _absorbed([group for group in groups if not {one, other} <= group] + split)
    return sorted(tuple(sorted(group)) for group in groups)


def _absorbed(groups: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    return [group for group in dict.fromkeys(groups) if not any(group < other for other in groups)]


def letters(apart: np.ndarray, *, first: int = 0) -> list[str]:
    """The letters of each method, such as ``ab``; methods that share one are not told apart.

    Args:
        apart: as for :func:`tie_groups`.
        first: letters that are used already.
    """
    groups = tie_groups(apart)
    return ["".join(_letter(first + n) for n, group in enumerate(groups) if m in group) for m in range(len(apart))]


def _letter(number: int) -> str:
    return LETTERS[number] if number < len(LETTERS) else f"({number + 1})"
