"""Scores that were packed with entries: given as they were packed, under the definitions that are installed."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_board import Made, entry_of, put, registry

import mrbench
from mrbench.engine import code
from mrbench.engine.result import StoredScores
from mrbench.errors import DataError, IncompatibleError
from mrbench.leaderboard.entry import CodeFacts, entry_bytes
from mrbench.leaderboard.source import method_run_of
from mrbench.leaderboard.store import read_entry
from mrbench.metrics.protocol import PUBLISHED, STRICT
from mrbench.results.method_run import MethodRun

METRICS = {name: registry().get("metric", name) for name in ("ged", "dice_rater", "dice_soft")}


def run_of(board: Path, method: str, others: Iterable[str] = ()) -> MethodRun:
    """A method run of an entry whose metrics ``others`` are defined otherwise."""
    entry, files = entry_of(Made(method=method))
    own = entry.scores["strict"]
    own = {**own, **{name: replace(own[name], definition="0" * 64) for name in others}}
    return method_run_of(read_entry(put(board, replace(entry, scores={"strict": own}), files)))


def read(run: MethodRun) -> StoredScores:
    return run.done[0].scores(METRICS, STRICT)


def test_metrics_that_are_defined_alike_are_given_and_others_are_faults(tmp_path: Path):
    whole, part = read(run_of(tmp_path, "a")), read(run_of(tmp_path, "a", ["ged"]))
    assert (set(whole.cases.metrics), whole.faults) == (set(METRICS), {})
    assert set(part.cases.metrics) == set(METRICS) - {"ged"}
    assert list(part.faults) == ["ged"]
    assert "another definition than the one installed here" in part.faults["ged"]


def test_an_entry_with_no_metric_that_is_defined_alike_cannot_be_read(tmp_path: Path):
    run = run_of(tmp_path, "a", METRICS)
    with pytest.raises(IncompatibleError, match="by other definitions than those installed here") as caught:
        read(run)
    assert all(name in caught.value.what for name in METRICS)


def test_a_metric_that_no_value_was_packed_of_is_left_out(tmp_path: Path):
    entry, files = entry_of(Made(method="a"))
    own = {name: score for name, score in entry.scores["strict"].items() if name != "ged"}
    run = method_run_of(read_entry(put(tmp_path, replace(entry, scores={"strict": own}), files)))
    assert set(read(run).cases.metrics) == set(METRICS) - {"ged"}


def test_other_protocols_and_samples_cannot_be_had(tmp_path: Path):
    (cell, *_) = run_of(tmp_path, "a").done
    with pytest.raises(IncompatibleError, match="no scores of the protocol 'published'"):
        cell.scores(METRICS, PUBLISHED)
    with pytest.raises(IncompatibleError, match="no scores of the first 3 samples"):
        cell.scores(METRICS, STRICT, 3)


def test_comparing_leaves_out_what_one_of_both_defines_otherwise_and_says_so(tmp_path: Path):
    a, b = run_of(tmp_path, "a", ["ged"]), run_of(tmp_path, "b")
    found = mrbench.compare(a, b, metrics=["ged", "dice_rater"])
    assert [one.metric for one in found.differences] == ["dice_rater"]
    assert any("ged: entry" in note and "another definition" in note for note in found.notes)
    with pytest.raises(IncompatibleError, match="ged by other definitions"):
        mrbench.compare(a, b, metrics=["ged"])


def with_code(board: Path, modules: tuple[str, ...]) -> MethodRun:
    """A method run of an entry whose code differs from what is here in the file ``network.py``."""
    entry, files = entry_of(Made(method="a"))
    facts = CodeFacts(modules, {f"{modules[0]}/network.py": "0" * 12})
    return method_run_of(read_entry(put(board, replace(entry, code=facts, prediction_code="c" * 64), files)))


def test_an_entry_of_other_code_is_marked(tmp_path: Path):
    (mark,) = [one for one in with_code(tmp_path, ("mrbench_tab",)).caveats if one.startswith("other code than this")]
    assert mark.endswith(" more")


@pytest.mark.parametrize("module", ["torch", "mrbench_nowhere"])
def test_no_package_is_read_because_an_entry_names_it(tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch):
    run = with_code(tmp_path, (module,))
    monkeypatch.setattr(code, "read_source", lambda *_: pytest.fail("a file was read"))
    assert not [mark for mark in run.caveats if mark.startswith("other code")]


@pytest.mark.parametrize("module", ["../../etc", "a b", "", "a..b", "-x"])
def test_a_module_of_an_entry_has_the_name_of_one(tmp_path: Path, module: str):
    entry, _ = entry_of(Made(method="a"))
    with pytest.raises(DataError, match=r"code\.modules"):
        entry_bytes(replace(entry, code=CodeFacts((module,))))
