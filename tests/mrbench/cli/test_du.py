"""``mrbench du``: every byte once, whatever it belongs to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from results_folders import bytes_below, store_attempt, store_cell_of_no_run, store_training, stored_cell
from stored_runs import store_run

from mrbench.engine.writing_faults import bytes_text

Call = Callable[..., Result]
OUT = Path("out")


def usage(mrbench: Call) -> dict:
    return json.loads(mrbench("du", "--out", "out", "--json").stdout)


def fill() -> None:
    """Two runs that share a cell and its training, and a thing of each other kind."""
    shared, own = stored_cell(fold=0), stored_cell(fold=1)
    run = store_run(OUT, "one", shared, own)
    store_training(OUT, shared)
    (run.folder / "logs").mkdir()
    (run.folder / "logs" / "a.log").write_text("x" * 7)
    (OUT / "runs/two").mkdir()
    from mrbench.engine.run import Run

    Run("two", OUT, run.cells[:1], run.descriptions, "mrbench run").write()
    store_cell_of_no_run(OUT, stored_cell(fold=2))
    store_training(OUT, stored_cell(fold=2))
    store_training(OUT, stored_cell(fold=3))
    store_attempt(run.cells[1][0].training_folder(OUT), "checkpoint/a")
    store_attempt(run.cells[0][0].folder(OUT), "half.h5")
    (OUT / "damaged/cells").mkdir(parents=True)
    (OUT / "damaged/cells/a").write_text("x" * 5)
    (OUT / "note.txt").write_text("x" * 3)


def test_the_kinds_and_the_total_are_the_sizes_of_all_files(mrbench: Call):
    fill()
    found = usage(mrbench)
    assert found["bytes"] == bytes_below(OUT) == sum(kind["bytes"] for kind in found["kinds"].values())
    assert found["kinds"]["other"] == {"count": 1, "bytes": 3}
    assert found["kinds"]["logs"] == {"count": 1, "bytes": 7}


def test_data_sets_and_methods_hold_what_their_folders_hold(mrbench: Call):
    fill()
    sizes = {(m["dataset"], m["method"]): (m["cells"], m["trainings"]) for m in usage(mrbench)["methods"]}
    attempts = 20  # are no finished cells and trainings
    assert sizes == {
        ("phantom", "proseg-prior"): (
            {"count": 3, "bytes": bytes_below(OUT / "cells") - attempts}, {"count": 0, "bytes": 0},
        ),
        ("phantom", "proseg"): (
            {"count": 0, "bytes": 0}, {"count": 3, "bytes": bytes_below(OUT / "trainings") - attempts},
        ),
    }  # fmt: skip


def test_a_cell_of_two_runs_counts_in_both_and_is_alone_in_none(mrbench: Call):
    fill()
    one, two = usage(mrbench)["runs"]
    assert (one["run"], one["held"]["count"], one["alone"]["count"], one["logs"]) == ("one", 3, 1, 7)
    assert (two["run"], two["held"]["count"], two["alone"]["count"], two["logs"]) == ("two", 2, 0, 0)


def test_what_no_run_refers_to_is_told_apart(mrbench: Call):
    fill()
    found = usage(mrbench)["unreferred"]
    assert {name: amount["count"] for name, amount in found.items()} == {
        "cells of no run": 1, "trainings of no run": 1, "trainings that no cell needs": 1, "failed attempts": 1,
        "attempts to continue from": 1, "damaged": 1,
    }  # fmt: skip
    assert found["failed attempts"]["bytes"] == found["attempts to continue from"]["bytes"] == 20
    assert found["damaged"]["bytes"] == 5


def test_a_link_to_outside_is_named_and_not_counted(mrbench: Call):
    fill()
    before = usage(mrbench)["bytes"]
    Path("outside").mkdir()
    Path("outside/large").write_text("x" * 10_000)
    (OUT / "cells/elsewhere").symlink_to(Path("outside").resolve())
    found = usage(mrbench)
    assert found["bytes"] == before
    assert found["notes"] == ["cells/elsewhere is a link: not followed, not counted"]


def test_a_folder_that_cannot_be_listed_is_named(mrbench: Call, monkeypatch: pytest.MonkeyPatch):
    import os

    fill()
    hidden = OUT / "trainings/phantom"
    scandir = os.scandir

    def refusing(path: str | Path) -> object:
        if Path(path) == hidden:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("mrbench.engine.inventory.os.scandir", refusing)
    assert usage(mrbench)["notes"] == ["out/trainings/phantom cannot be listed: not counted"]


def test_a_file_where_a_folder_should_be_is_something_else(mrbench: Call):
    fill()
    (OUT / "cells/phantom/strange").write_text("x" * 4)
    (OUT / "runs/strange").write_text("x" * 4)
    found = usage(mrbench)
    assert found["kinds"]["other"] == {"count": 3, "bytes": 11}
    assert found["bytes"] == bytes_below(OUT)


def test_where_there_are_no_results_that_is_said(mrbench: Call):
    result = mrbench("du", "--out", "nowhere")
    assert result.exit_code == 2
    assert "there are no results in nowhere" in result.stderr


@pytest.mark.parametrize("columns", ["80", "50"])
def test_the_tables_keep_to_the_width_of_the_terminal(mrbench: Call, monkeypatch: pytest.MonkeyPatch, columns: str):
    fill()
    monkeypatch.setenv("COLUMNS", columns)
    lines = mrbench("du", "--out", "out").stdout.splitlines()
    assert max(map(len, mrbench("du", "--out", "out").stdout.splitlines())) <= int(columns)
    sizes = [bytes_text(run["held"]["bytes"]) for run in usage(mrbench)["runs"]]
    assert all(any(size in line for line in lines) for size in sizes)
