"""Redraws: a further mask of a rater of a case, as if the same person outlined it once more."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mrbench.errors import PluginError
from mrbench.places import of_function

if TYPE_CHECKING:
    from mrbench.data.caseset import CaseSet

Redraw = Callable[[int, int, np.random.Generator], np.ndarray]
"""``redraw(index, rater, noise)``: labels ``(*spatial)``, bool or integers below K, of a rater at a case.

Independent of the stored mask and of every other redraw, and of the same distribution as the stored one, given the
image: the same person, new noise. All that is random comes from ``noise``, so that equal generators give equal masks.
"""

CaseRedraw = Callable[[int, np.random.Generator], np.ndarray]
"""``redraw(rater, noise)`` of one case: ``(*spatial)`` uint8, checked, background in void pixels."""


def redrawn(cases: "CaseSet", index: int, rater: int, noise: np.random.Generator) -> np.ndarray:
    """A redraw of a rater who looked at a case of a data set that can redraw: ``(*spatial)`` uint8.

    Raises:
        PluginError: a rater who did not look, or a mask of another shape or type, or not below K; names data set, case
            and rater.
    """
    assert cases.redraw is not None
    where = f"data set {cases.description.name!r}, case {cases.ids[index]!r}: a redraw of rater {rater}"
    looked = np.flatnonzero(cases.present[index]).tolist()
    if rater not in looked:
        raise PluginError(where, expected=f"one of the raters who looked, {looked}", found=f"rater {rater}")
    found = cases.redraw(index, rater, noise)
    fault = _fault(found, cases.pixels.masks(index).shape[1:], cases.description.n_classes)
    if fault is not None:
        raise PluginError(f"{where} is no mask", expected=fault[0], found=fault[1], place=of_function(cases.redraw))
    valid = cases.valid(index)
    return (found if valid is None else np.where(valid, found, 0)).astype(np.uint8)


def _fault(found: object, shape: tuple[int, ...], classes: int) -> tuple[str, str] | None:
    # What was expected, and what was found in place of it.
    expected = f"labels {shape}, bool or integers from 0 to {classes - 1}"
    if not isinstance(found, np.ndarray):
        return expected, f"a {type(found).__name__}"
    if found.dtype.kind not in "bui" or found.shape != shape:
        return expected, f"{found.shape} {found.dtype}"
    low, high = int(found.min()), int(found.max())
    return None if low >= 0 and high < classes else (expected, f"labels from {low} to {high}")
