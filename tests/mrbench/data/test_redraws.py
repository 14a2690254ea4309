"""A redraw is checked before anybody sees it: whose it is, what it is, and where it counts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrbench import CaseSet, DatasetCard, Description, Raters
from mrbench.data.caseset import ArrayPixels
from mrbench.data.loading import cases_of
from mrbench.errors import PluginError
from mrbench.registry import Plugin

FULL = np.ones((2, 3), np.uint8)
NOISE = np.random.default_rng(0)


def cases(redraw: Callable[..., Any] | None, valid: np.ndarray | None = None) -> CaseSet:
    return CaseSet(
        description=Description(
            name="x", version="1", classes=("no", "yes"), channels=("c",), raters=Raters.IDENTIFIED,
            rater_names=("a", "b", "c"),
        ),
        pixels=ArrayPixels(np.zeros((1, 1, 2, 3)), np.zeros((1, 3, 2, 3), np.uint8), [valid]),
        ids=("one",), subjects=("one",), present=np.array([[True, False, True]]), redraw=redraw,
    )  # fmt: skip


def redrawn(redraw: Callable[..., Any], rater: int = 0, valid: np.ndarray | None = None) -> np.ndarray:
    of_case = cases(redraw, valid)[0].redraw
    assert of_case is not None
    return of_case(rater, NOISE)


def test_the_data_set_is_asked_for_the_case_and_rater_with_the_noise():
    asked = []
    redrawn(lambda *given: asked.append(given) or FULL, rater=2)
    assert asked == [(0, 2, NOISE)]


def test_a_data_set_that_cannot_redraw_has_cases_without_redraws():
    assert cases(None)[0].redraw is None


@pytest.mark.parametrize("kind", [bool, np.int64, np.uint16])
def test_labels_of_any_integer_type_become_those_of_masks(kind: type):
    found = redrawn(lambda *_: FULL.astype(kind))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, FULL)


def test_void_pixels_are_background():
    valid = np.array([[True, False, True], [True, True, False]])
    np.testing.assert_array_equal(redrawn(lambda *_: FULL, valid=valid), valid.astype(np.uint8))


def test_a_redraw_moves_no_digest():
    assert cases(None).digest == cases(lambda *_: FULL).digest


@pytest.mark.parametrize("rater", [1, 3, -1])
def test_a_rater_who_did_not_look_is_not_asked(rater: int):
    with pytest.raises(PluginError) as error:
        redrawn(lambda *_: FULL, rater=rater)
    assert error.value.what == f"data set 'x', case 'one': a redraw of rater {rater}"
    assert (error.value.expected, error.value.found) == ("one of the raters who looked, [0, 2]", f"rater {rater}")


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (FULL.T, "(3, 2) uint8"),
        (FULL[None], "(1, 2, 3) uint8"),
        (FULL.astype(np.float32), "(2, 3) float32"),
        (2 * FULL, "labels from 2 to 2"),
        (-FULL.astype(int), "labels from -1 to -1"),
        (None, "a NoneType"),
        (FULL.tolist(), "a list"),
    ],
)
def test_what_is_no_mask_names_data_set_case_rater_and_line(wrong: Any, found: str):
    def redraw(index: int, rater: int, noise: np.random.Generator) -> Any:
        return wrong

    with pytest.raises(PluginError, match=r"data set 'x', case 'one': a redraw of rater 2 is no mask") as error:
        redrawn(redraw, rater=2)
    assert error.value.expected == "labels (2, 3), bool or integers from 0 to 1"
    assert error.value.found == found
    assert "test_redraws.py" in error.value.place


def test_what_a_plugin_raises_names_rater_case_and_data_set(tmp_path: Path):
    found = cases_of(Plugin(DatasetCard(name="x", code=f"{__name__}:failing"), "mine", "1"), None, tmp_path)
    of_case = found[0].redraw
    assert of_case is not None
    with pytest.raises(PluginError, match="rater 2 of case 'one' of data set 'mine:x' cannot be asked again"):
        of_case(2, NOISE)


def failing(config: Any, folder: Path) -> CaseSet:
    def redraw(index: int, rater: int, noise: np.random.Generator) -> np.ndarray:
        raise ValueError("out of raters")

    return replace(cases(None), redraw=redraw)
