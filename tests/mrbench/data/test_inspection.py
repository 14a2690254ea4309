"""The one-page report of a data set, on masks whose answers are known."""

from dataclasses import replace
from math import isnan

import numpy as np
import pytest

from mrbench.data.caseset import ArrayPixels
from mrbench.data.container import open_container, write_container
from mrbench.data.inspection import inspect_cases

A, B, EMPTY = slice(0, 2), slice(0, 4), slice(0, 0)
"""Rows that a rater marks in full, of 10 columns: 20 pixels, 40 pixels, none. Dice of A and B: 2 * 20 / 60."""


def marked(make_cases, *cases, present=None):
    masks = np.zeros((len(cases), len(cases[0]), 12, 10), np.uint8)
    for case, rows in zip(masks, cases, strict=True):
        for mask, chosen in zip(case, rows, strict=True):
            mask[chosen] = 1
    made = make_cases([(12, 10)] * len(cases), raters=len(cases[0]), splits={})
    images = np.random.default_rng(0).integers(0, 256, (len(cases), 1, 12, 10)).astype(np.uint8)
    here = np.ones(masks.shape[:2], bool) if present is None else np.array(present, bool)
    return replace(made, pixels=ArrayPixels(images, masks), present=here)


def test_areas_ranks_and_dice(make_cases):
    found = inspect_cases(marked(make_cases, (A, B), (B, B), (A, EMPTY)))
    first, second = found.raters
    assert (first.area, second.area) == (80 / 3, 40.0)
    assert (first.rank, second.rank) == ((1 + 1.5 + 2) / 3, (2 + 1.5 + 1) / 3)
    assert (first.empty, second.empty) == (0, 1)
    assert found.dice == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert first.dice == second.dice == pytest.approx(found.dice)
    assert (found.cases, found.subjects, found.complete, found.blank) == (3, 3, 3, 0)
    assert found.sizes == ((12, 10), (12, 10))


def test_two_raters_who_marked_nothing_are_no_pair(make_cases):
    found = inspect_cases(marked(make_cases, (A, EMPTY, EMPTY), (EMPTY, EMPTY, EMPTY)))
    assert (found.agreeing_cases, found.blank) == (1, 1)
    assert found.dice == 0
    assert [rater.empty for rater in found.raters] == [1, 2, 2]


def test_an_absent_rater_is_not_one_who_marked_nothing(make_cases):
    found = inspect_cases(marked(make_cases, (A, EMPTY), (A, B), present=[(1, 0), (1, 1)]))
    assert [rater.present for rater in found.raters] == [2, 1]
    assert [rater.empty for rater in found.raters] == [0, 0]
    assert (found.complete, found.agreeing_cases) == (1, 1)
    assert found.dice == pytest.approx(2 / 3)


def test_one_rater_has_nobody_to_agree_with(make_cases):
    found = inspect_cases(marked(make_cases, (A,), (B,)))
    assert isnan(found.dice) and isnan(found.raters[0].rank) and isnan(found.raters[0].dice)  # noqa: PT018


def test_several_classes_are_one_foreground(make_cases):
    cases = make_cases(raters=2, classes=3)  # rater 0 marks class 1, rater 1 class 2, on nearly the same pixels
    assert inspect_cases(cases).dice == pytest.approx(2 * 16 / (16 + 20))


def test_sizes_and_copies_are_told(make_cases):
    cases = make_cases([(12, 10), (9, 14), (12, 10), (20, 8)], raters=2)
    found = inspect_cases(cases)
    assert found.sizes == ((12, 10), (20, 8))
    assert found.warnings == ()
    cases.pixels.images[2] = cases.pixels.images[0]
    assert "1 images are copies of another case's" in inspect_cases(cases).warnings[0]


def test_a_streamed_data_set_gives_the_same(tmp_path, rich_cases):
    write_container(tmp_path / "rich.h5", rich_cases)
    assert inspect_cases(open_container(tmp_path / "rich.h5", "stream")) == inspect_cases(rich_cases)
