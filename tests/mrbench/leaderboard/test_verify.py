from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_board import Made, entry_of, put, registry

from mrbench.leaderboard.entry import Entry
from mrbench.leaderboard.registered import REGISTERED, read_registered
from mrbench.leaderboard.store import facts_of
from mrbench.leaderboard.verify import Verified, Verifier

ENTRY, FILES = entry_of(Made(method="mine", folds=2, seeds=2, subjects=4), ("strict", "published"))


def verified(board: Path, entry: Entry, files: Mapping[str, bytes] = FILES) -> Verified:
    """Of an entry that was packed again after it was changed: its digests are right, and its data are registered."""
    put(board / "honest", ENTRY, FILES)
    put(board, entry, files, known=False)
    (board / "honest" / REGISTERED).rename(board / REGISTERED)
    (found,) = Verifier(registry(), read_registered(board)).board(board)
    return found


def scored(**changes: object) -> Entry:
    score = replace(ENTRY.scores["strict"]["ged"], **changes)
    return replace(ENTRY, scores={**ENTRY.scores, "strict": {**ENTRY.scores["strict"], "ged": score}})


def test_every_number_of_an_honest_entry_is_computed_again(tmp_path: Path):
    found = verified(tmp_path, ENTRY)
    assert (found.faults, found.unchecked) == ((), ())
    assert found.recomputed > 100


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mean": 0.1}, "mean"),
        ({"sd": 0.5}, "sd"),
        ({"sd": None}, "sd"),
        ({"low": 0.6}, "low"),
        ({"high": None}, "high"),
        ({"folds": {0: 0.7}}, "folds.1"),
        ({"folds": {0: 0.7, 1: 0.1}}, "folds.1"),
        ({"by_class": {}}, "by_class.1"),
        ({"cases": 9}, "cases"),
        ({"subjects": 80}, "subjects"),
    ],
)
def test_a_tampered_number_is_caught_although_its_digests_were_made_again(tmp_path: Path, changes: dict, field: str):
    found = verified(tmp_path, scored(**changes))
    assert f"scores.strict.ged.{field}" in [fault.field for fault in found.faults]
    fault = next(fault for fault in found.faults if fault.field == f"scores.strict.ged.{field}")
    assert fault.expected != fault.found
    assert fault.path.startswith("phantom/mine/")


def test_rounding_is_no_fault(tmp_path: Path):
    assert not verified(tmp_path, scored(low=ENTRY.scores["strict"]["ged"].low + 1e-12)).faults


def test_tampered_cases_are_caught(tmp_path: Path):
    name = "strict.fold0-seed0.csv.gz"
    files = {**FILES, name: FILES["strict.fold1-seed0.csv.gz"]}
    entry = replace(ENTRY, files={**ENTRY.files, name: facts_of(files[name])})
    fields = [fault.field for fault in verified(tmp_path, entry, files).faults]
    assert "cells.fold0-seed0.cases.strict" in fields
    assert "scores.strict.ged.folds.0" in fields


def test_cases_that_cannot_be_read_are_a_fault(tmp_path: Path):
    name = "strict.fold0-seed0.csv.gz"
    files = {**FILES, name: b"no gzip"}
    entry = replace(ENTRY, files={**ENTRY.files, name: facts_of(b"no gzip")})
    (fault, *_) = verified(tmp_path, entry, files).faults
    assert fault.field == "scores.strict"
    assert "holds no scores" in fault.found


def test_a_score_that_is_left_out_is_missed(tmp_path: Path):
    scores = {name: score for name, score in ENTRY.scores["strict"].items() if name != "ged"}
    found = verified(tmp_path, replace(ENTRY, scores={**ENTRY.scores, "strict": scores}))
    assert "scores.strict.ged" in [fault.field for fault in found.faults]


def test_a_metric_that_is_defined_otherwise_here_is_told_of(tmp_path: Path):
    found = verified(tmp_path, scored(definition="0" * 64))
    assert found.unchecked == ("strict.ged",)
    assert not found.faults


def test_a_metric_that_turns_its_direction_is_caught(tmp_path: Path):
    facts = replace(ENTRY.metrics["ged"], direction=ENTRY.metrics["dice_rater"].direction)
    found = verified(tmp_path, replace(ENTRY, metrics={**ENTRY.metrics, "ged": facts}))
    assert [fault.field for fault in found.faults] == ["metrics.ged"]


def test_an_entry_stands_when_another_metric_comes_into_the_tables(tmp_path: Path):
    facts = replace(ENTRY.metrics["ged_pa"], table=not ENTRY.metrics["ged_pa"].table)
    assert not verified(tmp_path, replace(ENTRY, metrics={**ENTRY.metrics, "ged_pa": facts})).faults


def test_a_fusion_cannot_pose_as_a_method(tmp_path: Path):
    people, files = entry_of(Made(method="staple", folds=2, subjects=4))
    found = verified(tmp_path, replace(people, method_version="1"), files)
    assert {"kind", "capabilities"} <= {fault.field for fault in found.faults}


def test_the_same_results_twice_are_told_of(tmp_path: Path):
    put(tmp_path, ENTRY, FILES)
    put(tmp_path, replace(ENTRY, submitter="somebody else"), FILES)
    faults = [
        fault for found in Verifier(registry(), read_registered(tmp_path)).board(tmp_path) for fault in found.faults
    ]
    assert [fault.field for fault in faults] == ["cells"]


def test_a_cell_twice_and_a_day_to_come_are_caught(tmp_path: Path):
    twice = replace(ENTRY, cells=(*ENTRY.cells, ENTRY.cells[0]))
    assert "2 times" in [fault.found for fault in verified(tmp_path / "a", twice).faults]
    cells = tuple(replace(cell, written="2099-01-01T00:00:00+00:00") for cell in ENTRY.cells)
    later = replace(ENTRY, cells=cells, written=cells[0].written)
    assert "no day to come" in [fault.expected for fault in verified(tmp_path / "b", later).faults]


def test_failures_alone_are_an_entry(tmp_path: Path):
    entry, files = entry_of(Made(method="mine", folds=2, subjects=4, failed=True))
    found = verified(tmp_path, entry, files)
    assert not found.faults
    assert entry.failures == ("fold1-seed0 failed: what went wrong",)
