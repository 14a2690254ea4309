"""What a reader must know of a row: which phrases a specification asks for, and how they are put together."""

from dataclasses import replace
from typing import Any

import pytest
from rows_by_hand import result_of
from stored_runs import DESCRIPTION, registry

from mrbench.engine.cell import Status
from mrbench.engine.code import code_of
from mrbench.engine.conditions import Conditions
from mrbench.engine.result import Result
from mrbench.results.caveats import TAKES_TURNS, caveat_lines, caveats_of, code_caveats


def caveats(method: str = "proseg", **spec: Any) -> tuple[str, ...]:
    return caveats_of(result_of(method, **{"preset": "paper", **spec}).spec, DESCRIPTION)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ()),
        ({"preset": "default"}, ()),
        ({"preset": "quick"}, ("preset quick",)),
        (
            {"preset": "quick", "objective": {"weights.kl_z": 1e-4, "loss": "dice"}},
            ("preset quick", "other loss than the paper's: weights.kl_z = 0.0001, loss = dice"),
        ),
        ({"changed": {"epochs": "3", "lr": "1"}}, ("epochs = 3", "lr = 1")),
        ({"split": "published-slice"}, ("split published-slice, which may train on test subjects",)),
        ({"split": "mine"}, ("split mine",)),
        ({"limit": 3}, ("first 3 cases",)),
        ({"conditions": Conditions(raters_present=1)}, ("1 rater present per step",)),
        ({"conditions": Conditions(raters_present=2, sparsity="fixed")}, ("2 raters present per case",)),
        ({"conditions": Conditions(precision="bf16")}, ("trained in bf16",)),
        ({"conditions": Conditions(threads=2)}, ("2 threads",)),
        ({"method": "unet-majority"}, ("single output",)),
        ({"method": "cm-global"}, ("its consensus as the one sample",)),
        ({"method": "staple", "preset": "quick"}, ("sees test masks", "single output")),
        ({"method": "level-sets"}, ("sees test masks", "samples in turn")),
        ({"kind": "external"}, ("external predictions",)),
    ],
)
def test_what_is_not_as_usual_is_a_caveat(spec: dict[str, Any], expected: tuple[str, ...]):
    assert caveats(**spec) == expected


@pytest.mark.parametrize(
    ("capabilities", "said"),
    [(("diverse", "takes_turns"), True), (("consensus", "takes_turns"), False), (("diverse",), False)],
)
def test_samples_in_turn_are_a_caveat_and_a_single_output_takes_none(capabilities: tuple[str, ...], *, said: bool):
    assert (TAKES_TURNS in caveats(capabilities=capabilities)) is said


def with_code(**files: str) -> Result:
    """A finished cell of the method ``tab`` with the code that is here, but for some files."""
    plugin = registry().get("method", "tab")
    code = code_of(plugin.modules, trains=True)
    spec = {"training_code": code.training, "prediction_code": "c" * 64 if files else code.prediction}
    found = result_of("tab", **spec)
    recorded = {"modules": ["mrbench_tab"], "files": {**code.drawn, **files}}
    return replace(found, record={**(found.record or {}), "code": recorded})


def test_other_code_than_what_is_here_is_a_caveat_that_names_the_files():
    assert code_caveats([with_code()]) == ()
    other = with_code(**{"mrbench_tab/network.py": "0"})
    assert code_caveats([with_code(), other]) == ("other code than this: network.py of mrbench_tab",)
    assert code_caveats([replace(other, status=Status.FAILED)]) == ()


def test_code_that_is_not_here_or_was_not_recorded_is_not_compared():
    gone = {"modules": ["mrbench_gone"], "files": {"mrbench_gone/method.py": "0"}}
    other = with_code(**{"mrbench_tab/network.py": "0"})
    assert code_caveats([replace(other, record={**(other.record or {}), "code": gone})]) == ()
    assert code_caveats([result_of("tab")]) == ()


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
