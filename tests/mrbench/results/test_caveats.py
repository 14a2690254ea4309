"""What a reader must know of a row: which phrases a specification asks for, and how they are put together."""

from typing import Any

import pytest
from rows_by_hand import result_of
from stored_runs import DESCRIPTION

from mrbench.engine.conditions import Conditions
from mrbench.results.caveats import caveat_lines, caveats_of


def caveats(method: str = "proseg", **spec: Any) -> tuple[str, ...]:
    return caveats_of(result_of(method, **{"preset": "paper", **spec}).spec, DESCRIPTION)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ()),
        ({"preset": "default"}, ()),
        ({"preset": "quick"}, ("preset quick",)),
        ({"changed": {"epochs": "3", "lr": "1"}}, ("epochs = 3", "lr = 1")),
        ({"split": "published-slice"}, ("split published-slice, which may train on test subjects",)),
        ({"split": "mine"}, ("split mine",)),
        ({"limit": 3}, ("first 3 cases",)),
        ({"conditions": Conditions(raters_present=1)}, ("1 rater present per step",)),
        ({"conditions": Conditions(raters_present=2, sparsity="fixed")}, ("2 raters present per case",)),
        ({"conditions": Conditions(precision="bf16")}, ("trained in bf16",)),
        ({"method": "unet-majority"}, ("single output",)),
        ({"method": "staple", "preset": "quick"}, ("sees test masks", "single output")),
        ({"method": "level-sets"}, ("sees test masks",)),
        ({"kind": "external"}, ("external predictions",)),
    ],
)
def test_what_is_not_as_usual_is_a_caveat(spec: dict[str, Any], expected: tuple[str, ...]):
    assert caveats(**spec) == expected


def test_raters_that_were_sorted_are_a_caveat():
    spec = result_of(preset="paper").spec
    assert caveats_of(spec, {**DESCRIPTION, "raters": "ranked"}) == ("virtual raters",)


def test_each_caveat_is_explained_once_with_the_rows_that_have_it():
    rows = [
        ("a", ("single output", "preset quick")),
        ("b", ("preset quick",)),
        ("c", ("preset quick", "first samples")),
    ]
    assert list(caveat_lines(rows)) == [
        "single output, scored as one sample and as every rater's: a",
        "preset quick: all rows",
        "scored on the first samples of more; what needs the mean probability of all is blank: c",
    ]
    assert list(caveat_lines(rows[:2], "every method"))[1] == "preset quick: every method"


def test_rows_of_one_label_are_named_once():
    assert list(caveat_lines([("a", ("x",)), ("a", ("x",)), ("b", ())])) == ["x: a"]


def test_no_caveat_has_no_line():
    assert list(caveat_lines([("a", ())])) == []
    assert list(caveat_lines([])) == []


def test_labels_with_commas_stand_between_semicolons():
    assert list(caveat_lines([("a, S 4", ("x",)), ("a, S 10", ("x",)), ("b", ())])) == ["x: a, S 4; a, S 10"]
