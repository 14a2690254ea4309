"""Raters asked again: which rows need it, which data sets can, and the noise of each redraw."""

from collections.abc import Callable
from inspect import signature
from operator import index
from typing import Any

import numpy as np

from mrbench.cards import MethodCard
from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.description import Raters
from mrbench.errors import NotApplicableError, PluginError
from mrbench.interfaces.fusion import Fuse
from mrbench.places import of_function
from mrbench.seeds import derive_noise

NEEDS = "needs raters who can be asked again"


def redraws_fit(card: MethodCard, cases: CaseSet) -> list[str]:
    """Why a row cannot have a data set's raters asked again; empty where it can, or needs not."""
    if not card.redraws:
        return []
    name, raters = cases.description.name, cases.description.raters
    if cases.redraw is None:
        return [f"{NEEDS}, {name!r} has their masks alone: --dataset phantom has such raters"]
    if raters is not Raters.IDENTIFIED:
        return [f"{NEEDS}, so the same persons in every case, {name!r} has {raters.value} raters"]
    return []


def asked_again(case: Case, seed: int) -> Callable[[int, int], np.ndarray]:
    """``redraw(rater, draw)``: ``(*spatial)`` uint8, a function of ``seed``, case, rater and the draw's number alone.

    Raises:
        NotApplicableError: the case is of a data set that cannot.
        PluginError: when called, as of :func:`mrbench.data.redraws.redrawn`.
    """
    if (of_case := case.redraw) is None:
        raise NotApplicableError(f"case {case.id!r}: {NEEDS}, its data set has their masks alone")

    def redraw(rater: int, draw: int) -> np.ndarray:
        return of_case(index(rater), derive_noise(seed, case.id, "redraw", index(rater), index(draw)))

    return redraw


def redraw_argument(fuse: Fuse, card: MethodCard, case: Case, seed: int) -> dict[str, Any]:
    """What a fusion gets besides, where its card says that it redraws.

    Raises:
        PluginError: its card and its signature differ in that.
        NotApplicableError: as of :func:`asked_again`.
    """
    named = "redraw" in signature(fuse).parameters
    if named != card.redraws:
        raise PluginError(
            f"fusion {card.name!r}: its card and its parameters differ in whether raters are asked again",
            expected="redraws=True on the card and a parameter redraw, or neither",
            found=f"redraws={card.redraws} and {'a' if named else 'no'} parameter redraw",
            place=of_function(fuse),
        )
    return {"redraw": asked_again(case, seed)} if named else {}
