"""Mistakes in masks that import names, and that it accuses nobody of the real sets falsely."""

import os
from pathlib import Path

import numpy as np
import pytest

from mrbench import load_dataset
from mrbench.data.importing.codes import Codes
from mrbench.data.importing.labels import Labels
from mrbench.data.importing.marks import Marks
from mrbench.data.importing.shifts import Shifts

DATA = Path(os.environ.get("MRBENCH_TEST_DATA") or Path(__file__).parents[5] / "shared" / "data")


def disc(row, column, radius, side=48):
    y, x = np.ogrid[:side, :side]
    return (y - row) ** 2 + (x - column) ** 2 <= radius**2


def raters(k, change=lambda mask, k: mask):
    """Three who draw a disc nearly alike, at another place and size in each case; the third one is changed."""
    row, column, radius = 18 + k % 4, 20 + k % 5, 6 + k % 3
    jitter = (k % 3) - 1
    return {
        "ann": disc(row, column, radius),
        "bo": disc(row + jitter, column, radius),
        "cay": change(disc(row, column + jitter, radius + k % 2), k),
    }


def shifts(change, n=6, cases=raters):
    found = Shifts()
    for k in range(n):
        found.add(cases(k, change))
    return list(found.found())


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ((3, 0), "3 rows below"),
        ((-4, 0), "4 rows above"),
        ((0, 5), "5 columns right of"),
        ((0, -3), "3 columns left of"),
        ((3, -4), "3 rows below, 4 columns left of"),
        ((0, 16), "16 columns right of"),
    ],
)
def test_a_rater_whose_masks_lie_beside_the_others_is_named_with_the_step(step, words):
    found = shifts(lambda mask, k: np.roll(mask, step, (0, 1)))
    assert [rater for rater, *_ in found] == ["cay"]
    _, said, before, after = found[0]
    assert said == words
    assert after > 0.85 > before


def test_steps_between_planes_are_told():
    def volume(k, change):
        flat = raters(k)
        deep = np.array([0] * 4 + [1] * 3 + [0] * 4, bool)[:, None, None]
        stacked = {rater: deep & mask for rater, mask in flat.items()}
        return stacked | {"cay": np.roll(stacked["cay"], 3, 0)}

    assert [(rater, said) for rater, said, *_ in shifts(None, cases=volume)] == [("cay", "3 planes above")]


@pytest.mark.parametrize(
    "change",
    [
        lambda mask, k: mask,
        lambda mask, k: np.roll(mask, 1, 0),
        lambda mask, k: np.roll(mask, 4 * (-1) ** k, 0),
        lambda mask, k: mask & (np.arange(48) < 20),
        lambda mask, k: np.zeros_like(mask),
        lambda mask, k: mask | disc(40, 40, 4),
        lambda mask, k: mask if k else np.roll(mask, 9, 1),
        lambda mask, k: ~mask,
    ],
)
def test_raters_who_draw_less_more_elsewhere_or_nothing_are_not_shifted(change):
    assert shifts(change) == []


def test_two_cases_tell_no_step():
    assert shifts(lambda mask, k: np.roll(mask, 5, 0), n=2) == []


# --- other codes

LABELS = Labels((0, 1, 2, 3), ("background", "a", "b", "c"))


def codes(change, n=3, labels=LABELS):
    found = Codes()
    for k in range(n):
        masks = raters(k)
        drawn = {rater: mask.astype(np.uint16) for rater, mask in masks.items()}
        for one in drawn.values():
            one[disc(20, 21, 2)] = 2
        drawn["cay"] = change(drawn["cay"])
        found.add(drawn, {rater: tuple(np.unique(one).tolist()) for rater, one in drawn.items()})
    return list(found.suspicions(labels))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda one: np.where(one == 2, 3, one), ["cay writes 3 where the others write 2: one class?"]),
        (lambda one: np.where(one == 1, 3, one), ["cay writes 3 where the others write 1: one class?"]),
        (lambda one: np.where(one > 0, 3, 0), ["cay writes 3 where the others write 1: one class?"]),
        (lambda one: one, []),
        (lambda one: np.where(one == 2, 1, one), []),
        (lambda one: one * 0, []),
        (lambda one: np.where(disc(20, 21, 1), 3, one), []),
    ],
)
def test_a_rater_with_another_code_for_a_class_is_named(change, expected):
    found = codes(change)
    assert len(found) == len(expected)
    assert all(text.startswith(words) for text, words in zip(found, expected, strict=True))
    assert all("--labels" in text for text in found)


def test_codes_of_one_class_that_are_read_alike_are_no_suspicion():
    found = Codes()
    for k in range(3):
        drawn = {rater: mask * np.uint16(255 if rater == "cay" else 1) for rater, mask in raters(k).items()}
        found.add(drawn, {rater: tuple(np.unique(one).tolist()) for rater, one in drawn.items()})
    assert list(found.suspicions(Labels((0, 1), ("background", "foreground"), (255,)))) == []
    assert len(list(found.suspicions(Labels((0, 1, 255), ("background", "a", "b"))))) == 1


# --- masks that are the same


@pytest.mark.parametrize(
    ("equal", "said"), [(6, "copies"), (4, "same mask in 4 of 6"), (2, "same mask in 2 of 6"), (1, ""), (0, "")]
)
def test_raters_with_the_same_mask_in_more_than_a_quarter_of_the_cases_are_named(equal, said):
    found = Marks()
    for k in range(6):
        found.add({"ann": disc(18, 20, 7), "bo": disc(18, 20, 7) if k < equal else disc(20, 22, 6)})
    sentences = list(found.suspicions())
    assert len(sentences) == bool(said)
    assert all(said in text for text in sentences)


# --- the real sets

SETS = {
    "bubil-phase": ["Person2_Amira and Person2_ImageJ have the same mask in 35 of 116 cases"],
    "bubil-fluo": [],
    "bubil-mri": [],
    "lidc": [],
    "lidc-1609-masks": [],
    "phantom": [],
}


@pytest.mark.parametrize("name", SETS)
def test_nobody_is_accused_in_the_real_sets_but_one_pair_of_equal_columns(name):
    if name != "phantom" and not DATA.is_dir():
        pytest.skip(f"no real data in {DATA}")
    options = {"raters": "exchangeable"} if name.startswith("lidc") else {}
    cases = load_dataset(name, data=DATA, **options)
    marks, steps, values = Marks(), Shifts(), Codes()
    names = cases.description.rater_names
    for index in range(len(cases)):
        labels = dict(zip(names, cases.pixels.masks(index), strict=True))
        marked = {rater: one > 0 for rater, one in labels.items()}
        marks.add(marked)
        steps.add(marked)
        values.add(labels, {rater: tuple(np.unique(one).tolist()) for rater, one in labels.items()})
    shifted = list(steps.found())
    assert shifted == []
    assert list(marks.suspicions()) == SETS[name]
    assert list(values.suspicions(Labels((0, 1), ("background", "foreground")))) == []
