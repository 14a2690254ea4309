"""A training's conditions: asked for, told to readers, and left out where they are as usual."""

from typing import Any

import pytest

from mrbench.engine.conditions import AS_USUAL, Conditions
from mrbench.errors import UsageError

SPARSE = Conditions(raters_present=2, sparsity="fixed", precision="bf16")
THREADED = Conditions(threads=4)


def test_what_is_as_usual_is_told_nowhere():
    for usual in (AS_USUAL, Conditions(sparsity="fixed")):
        assert (usual.as_json(), usual.command_line, usual.caveats, usual.facts) == ({}, [], [], {})
        assert not usual.presence


def test_what_is_not_is_told_to_files_commands_and_readers():
    assert SPARSE.as_json() == {"raters_present": 2, "sparsity": "fixed", "precision": "bf16"}
    assert SPARSE.command_line == ["--raters-present", "2", "--sparsity", "fixed", "--precision", "bf16"]
    assert SPARSE.caveats == ["2 raters present per case", "trained in bf16"]
    assert SPARSE.facts == {"Raters present in training": "2, drawn per case", "Precision of training": "bf16"}
    assert Conditions(raters_present=1).caveats == ["1 rater present per step"]


def test_threads_are_told_where_there_are_more_than_one():
    assert THREADED.as_json() == {"threads": 4}
    assert THREADED.command_line == ["--threads", "4"]
    assert (THREADED.caveats, THREADED.facts) == (["4 threads"], {"Threads": "4"})
    assert Conditions(raters_present=2, threads=4).among(2, "phantom") == THREADED


def test_as_many_raters_as_there_are_is_all():
    assert SPARSE.among(2, "phantom") == Conditions(precision="bf16")
    assert SPARSE.among(3, "phantom") == SPARSE
    with pytest.raises(UsageError, match=r"1\.\.1, for it has 1 raters"):
        SPARSE.among(1, "phantom")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((None, "fixed", "float32"), "--raters-present N"),
        ((0, None, "float32"), "--raters-present has a wrong value"),
        ((2, "weekly", "float32"), "'per_step' or 'fixed'"),
        ((None, None, "fp8"), "--precision has a wrong value"),
        ((None, None, "float32", 0), "--threads has a wrong value"),
    ],
)
def test_a_wrong_condition_is_a_usage_error(asked: tuple[Any, ...], message: str):
    with pytest.raises(UsageError, match=message):
        Conditions.chosen(*asked)


def test_what_is_asked_for_is_what_is_got():
    assert Conditions.chosen(None, None, "float32") == AS_USUAL
    assert Conditions.chosen(2, None, "float32") == Conditions(raters_present=2)
    assert Conditions.chosen(2, "fixed", "bf16") == SPARSE
