"""Draws compared with draws."""

from collections.abc import Sequence

import numpy as np

from mrbench.interfaces.draw import Draw
from mrbench.interfaces.fusion import Trial
from mrbench.testing.check import CheckFailedError

TOLERANCE = 1e-4
"""Between probabilities that are computed in batches of other sizes, whose sums are taken in another order."""


def expect_equal(what: str, first: Sequence[Trial], second: Sequence[Trial]) -> None:
    """Refuses trials that differ.

    Raises:
        CheckFailedError: ``what`` and the first difference.
    """
    found = difference(first, second)
    if found:
        raise CheckFailedError(what, expected="the same draws", found=found)


def difference(first: Sequence[Trial], second: Sequence[Trial]) -> str:
    """The first difference between two lists of trials; empty where there is none."""
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} trials"
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        if not np.array_equal(one.truth, other.truth):
            return f"truths {np.flatnonzero(one.truth).tolist()} and {np.flatnonzero(other.truth).tolist()}"
        found = _of_draws(one.draws, other.draws)
        if found:
            return found if len(first) == 1 else f"trial {number}: {found}"
    return ""


def _of_draws(first: Sequence[Draw], second: Sequence[Draw]) -> str:
    kinds = [[(str(draw.kind), draw.rater) for draw in draws] for draws in (first, second)]
    if kinds[0] != kinds[1]:
        return f"{len(first)} and {len(second)} draws" if len(first) != len(second) else "kinds in another order"
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        distance = apart(one, other)
        if distance > TOLERANCE:
            return f"draw {number} ({one.kind}) differs by up to {distance:.3g}"
    return ""


def apart(one: Draw, other: Draw) -> float:
    """The largest difference of two draws' probabilities; infinite where their shapes differ."""
    if one.probability.shape != other.probability.shape:
        return float("inf")
    return float(np.abs(one.probability - other.probability).max(initial=0.0))


def identical(first: Sequence[Trial], second: Sequence[Trial]) -> bool:
    """Are all draws equal to the last bit?"""
    pairs = [
        (one, other) for a, b in zip(first, second, strict=True) for one, other in zip(a.draws, b.draws, strict=True)
    ]
    return all(np.array_equal(one.probability, other.probability) for one, other in pairs)
