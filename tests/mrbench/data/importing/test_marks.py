"""Numbers of masks that are known, and mistakes that are named."""

import numpy as np
import pytest

from mrbench.data.importing.marks import Marks


def box(top, left, size=6, side=20):
    mask = np.zeros((side, side), bool)
    mask[top : top + size, left : left + size] = True
    return mask


def marks(cases):
    found = Marks()
    for case in cases:
        found.add(case)
    return found


def group(change, n=4):
    """Three raters who nearly agree, the third changed."""
    return marks({"ann": box(3, 3), "bo": box(4, 3), "cay": change(box(3, 4), k)} for k in range(n))


def test_dice_is_over_all_pixels_of_the_cases_that_both_marked():
    found = marks([{"a": box(0, 0), "b": box(0, 3)}, {"a": box(0, 0), "b": box(9, 9, 0)}, {"a": box(1, 1)}])
    assert found.dice() == found.dice("a") == pytest.approx(2 * 18 / 72)
    assert found.marked == {"a": 108, "b": 36}
    assert found.pixels == {"a": 1200, "b": 800}
    assert marks([{"a": box(0, 0)}]).dice() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda mask, k: mask,
        lambda mask, k: mask if k else np.zeros_like(mask),
        lambda mask, k: np.roll(mask, 2, 0),
        lambda mask, k: mask & (np.arange(20) < 7),
        lambda mask, k: np.ones_like(mask),
    ],
)
def test_raters_who_differ_as_people_do_raise_no_suspicion(change):
    assert list(group(change).suspicions()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda mask, k: ~mask, "cay marks what the others leave free"),
        (lambda mask, k: ~box(3, 3), "cay marks what the others leave free"),
        (lambda mask, k: mask[::-1], "ann and cay never overlap"),
        (lambda mask, k: mask[:, ::-1], "bo and cay never overlap"),
        (lambda mask, k: np.roll(mask, 9, 1), "ann and cay never overlap"),
        (lambda mask, k: box(3, 3), "ann and cay are copies of each other"),
        (lambda mask, k: box(4, 3), "bo and cay are copies of each other"),
    ],
)
def test_what_looks_like_a_mistake_is_named(change, words):
    assert any(text.startswith(words) for text in group(change).suspicions())


@pytest.mark.parametrize("change", [lambda mask, k: box(3, 3), lambda mask, k: mask[::-1]])
def test_of_two_cases_nothing_is_said(change):
    assert list(group(change, n=2).suspicions()) == []
