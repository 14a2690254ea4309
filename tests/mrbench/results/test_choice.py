"""Method runs that go by one name are chosen by S, options or digest; the error says how, and that way works."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from stored_runs import StoredCell, cases, store_run

import mrbench
from mrbench.engine.conditions import Conditions
from mrbench.errors import UnknownNameError, UsageError
from mrbench.results.collection import Results

GED = cases("ged", [0.1, 0.3], [0.4])


def results_of(folder: Path, *specs: dict[str, Any]) -> Results:
    for number, spec in enumerate(specs):
        store_run(folder, f"r{number}", StoredCell("proseg", GED, spec=spec))
    return mrbench.load_results(folder)


def told(results: Results, **options: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        results.method("proseg", **options)
    return caught.value


def test_runs_of_unequal_samples_are_chosen_by_them(tmp_path: Path):
    results = results_of(tmp_path, {"samples": 5}, {"samples": 50})
    assert results.method("proseg", samples=5).runs == ("r0",)
    assert results.cell("proseg", samples=50).spec.samples == 50
    error = told(results)
    assert error.what == "2 method runs are called 'proseg'"
    assert "run r0: preset quick, S 5, digest" in error.found
    assert "run r1: preset quick, S 50, digest" in error.found


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("version", {"method_version": "2"}),
        ("data", {"data_digest": "e" * 64}),
        ("split", {"split_digest": "t" * 64}),
        ("limit", {"limit": 4}),
        ("conditions", {"conditions": Conditions(precision="bf16")}),
    ],
)
def test_what_differs_is_listed_and_nothing_else(tmp_path: Path, name: str, other: dict[str, Any]):
    found = told(results_of(tmp_path, {}, other)).found
    others = {"version", "data", "split", "limit", "conditions"} - {name}
    assert found.count(f", {name} ") == 2
    assert not [word for word in others if f", {word} " in found]


def test_the_hint_gives_a_method_run(tmp_path: Path):
    varied = product((5, 50), ("1", "2"), (None, 4))
    specs = [{"samples": s, "method_version": v, "limit": limit} for s, v, limit in varied]
    results = results_of(tmp_path, *specs)
    error = told(results)
    hint = error.hint.partition(", or ")[0]
    assert eval(hint, {"results": results}) in results.runs
    digests = [part.rpartition("digest ")[2] for part in error.found.split("; ")]
    chosen = [results.method("proseg", digest=digest) for digest in digests]
    assert sorted(map(id, chosen)) == sorted(map(id, results.runs)), "each by the digest that stands there"
    assert told(results, samples=5).found.count("; ") == 3, "those that are left"


def test_runs_of_one_digest_are_chosen_by_their_entry(tmp_path: Path):
    results = results_of(tmp_path, {})
    twins = replace(results, runs=tuple(replace(results.runs[0], id=name * 64) for name in "ab"))
    assert eval(told(twins).hint, {"results": twins}) is twins.runs[0]


def test_an_option_that_there_is_not_names_the_nearest(tmp_path: Path):
    results = results_of(tmp_path, {"options": {"epochs": 3, "optimiser": {"rate": 0.1}}})
    for wrong in ({"epoch": 3}, {"sample": 50}, {"epoch": None}):
        for ask in (results.method, results.cell):
            with pytest.raises(UnknownNameError, match=r"unknown option .* of 'proseg'\n.*did you mean"):
                ask("proseg", **wrong)
    for right in ({"epochs": 3}, {"epochs": "3"}, {"optimiser": {"rate": 0.1}}, {"optimiser.rate": "0.1"}):
        assert results.method("proseg", **right) is results.runs[0]


def test_no_method_run_with_such_options_lists_all(tmp_path: Path):
    error = told(results_of(tmp_path, {"options": {"epochs": 3}}, {"options": {"epochs": 3}, "samples": 5}), epochs=9)
    assert error.what == "0 method runs are called 'proseg' with these options"
    assert error.found.count("digest") == 2
    assert told(mrbench.load_results(tmp_path), samples="5").expected == "a whole number from 1"
