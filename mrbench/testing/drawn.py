"""Draws compared with draws, and weights with weights."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mrbench.data.case import Case
from mrbench.engine.predict import Predictor
from mrbench.interfaces.draw import Draw
from mrbench.testing.check import CheckFailedError

if TYPE_CHECKING:
    from mrbench.interfaces.method import Method

TOLERANCE = 1e-4
"""Between probabilities that are computed in batches of other sizes, whose sums are taken in another order."""


class Drawn(NamedTuple):
    """One trial of a case; a method has one."""

    truth: np.ndarray
    """``(R,)`` bool, who is scored against."""
    draws: Sequence[Draw]


def drawn(predictor: Predictor, case: Case) -> list[Drawn]:
    """A case's draws, checked as the harness checks them; errors as for :meth:`Predictor.predict`."""
    return [Drawn(truth, list(draws)) for truth, draws in predictor.draws(case)]


def expect_equal(what: str, first: Sequence[Drawn], second: Sequence[Drawn]) -> None:
    """Refuses trials that differ.

    Raises:
        CheckFailedError: ``what`` and the first difference.
    """
    found = difference(first, second)
    if found:
        raise CheckFailedError(what, expected="the same draws", found=found)


def difference(first: Sequence[Drawn], second: Sequence[Drawn], tolerance: float = TOLERANCE) -> str:
    """The first difference between two lists of trials; empty where there is none."""
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} trials"
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        if not np.array_equal(one.truth, other.truth):
            return f"truths {np.flatnonzero(one.truth).tolist()} and {np.flatnonzero(other.truth).tolist()}"
        found = _of_draws(one.draws, other.draws, tolerance)
        if found:
            return found if len(first) == 1 else f"trial {number}: {found}"
    return ""


def _of_draws(first: Sequence[Draw], second: Sequence[Draw], tolerance: float) -> str:
    kinds = [[(str(draw.kind), draw.rater) for draw in draws] for draws in (first, second)]
    if kinds[0] != kinds[1]:
        return f"{len(first)} and {len(second)} draws" if len(first) != len(second) else "kinds in another order"
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        distance = apart(one.probability, other.probability)
        if distance > tolerance:
            return f"draw {number} ({one.kind}) differs by up to {distance:.3g}"
    return ""


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of two arrays; infinite where their shapes differ."""
    return float(np.abs(one - other).max(initial=0.0)) if one.shape == other.shape else float("inf")


def differing_weights(one: "Method[Any]", other: "Method[Any]") -> list[str]:
    """The tensors of two methods' states that differ, or that one of them lacks, by name."""
    first, second = one.state_dict(), other.state_dict()
    return [
        name
        for name in {**first, **second}
        if name not in first or name not in second or not first[name].equal(second[name])
    ]
