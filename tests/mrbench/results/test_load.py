"""Results at the door: the same numbers as the commands print, asked by name."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored_runs import StoredCell, cases, store_run

import mrbench
from mrbench.engine.cell import FORMAT, Status
from mrbench.errors import UnknownNameError, UsageError
from mrbench.results.collection import Results

GED = cases("ged", [0.1, 0.3], [0.4])
RATERS = {"s, 0": {"dice_rater": {0: 0.5, 1: 0.7}}, "t, 0": {"dice_rater": {1: 0.9}}}


def test_cells_of_several_runs_are_one_method_run(tmp_path: Path):
    for fold in (0, 1):
        store_run(tmp_path, f"r{fold}", StoredCell("proseg", GED, fold=fold))
    results = mrbench.load_results(tmp_path)
    (run,) = results.runs
    assert (run.cells, run.runs, run.folds) == ((2, 2), ("r0", "r1"), (0, 1))
    assert results.table().rows[0].values["ged"].folds == pytest.approx({0: 0.3, 1: 0.3})


def test_one_run_is_chosen_by_its_id_its_folder_or_as_the_last(tmp_path: Path):
    for fold in (0, 1):
        store_run(tmp_path, f"r{fold}", StoredCell("proseg", GED, fold=fold))
    by_id = mrbench.load_results(tmp_path, run="r0")
    by_folder = mrbench.load_results(tmp_path / "runs" / "r0")
    assert [one.runs[0].folds for one in (by_id, by_folder)] == [(0,), (0,)]
    assert len(mrbench.load_results(tmp_path, run="last").runs) == 1


def test_a_relative_folder_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store_run(tmp_path / "there", "r", StoredCell("proseg", RATERS))
    monkeypatch.chdir(tmp_path)
    asked = ("there", {}), ("there", {"run": "last"}), ("there", {"run": "r"}), ("there/runs/r", {})
    loaded = [mrbench.load_results(path, **options) for path, options in asked]
    monkeypatch.chdir("/")
    for results in loaded:
        assert results.cells[0].folder.is_relative_to(tmp_path / "there")
        assert len(results.scores(metrics="dice_rater")) == 3


def test_a_run_is_looked_for_under_the_folder_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store_run(tmp_path / "there", "r", StoredCell("proseg", GED))
    monkeypatch.chdir(tmp_path / "there" / "runs")
    with pytest.raises(UnknownNameError, match=r"unknown run 'r' in .*here, which holds none"):
        mrbench.load_results(tmp_path / "here", run="r")


def test_the_file_of_a_run_stands_for_its_folder(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", GED))
    assert mrbench.load_results(tmp_path / "runs" / "r" / "run.json").runs[0].runs == ("r",)


def test_one_metric_or_budget_may_stand_alone(tmp_path: Path):
    masks = np.ones((2, 4, 4), np.uint8)
    drawn = {"s, 0": (masks, [np.ones((4, 4), np.float32)] * 3, {})}
    store_run(tmp_path, "r", StoredCell("proseg-prior", drawn=drawn, spec={"samples": 3}))
    results = mrbench.load_results(tmp_path)
    table = results.table(metrics="ged", samples=np.int64(2))
    assert (list(table.columns), [row.samples for row in table.rows]) == (["ged"], [2])
    assert set(results.scores(metrics="ged")["metric"]) == {"ged"}
    for wrong in ({"metrics": 3}, {"samples": "2"}, {"samples": 0}):
        with pytest.raises(UsageError, match="has a wrong value"):
            results.table(**wrong)


def test_methods_of_nothing_have_their_columns(tmp_path: Path):
    run = store_run(tmp_path, "r", StoredCell("proseg", GED))
    results = mrbench.load_results(tmp_path)
    facts = ["dataset", "method", "origin", "digest", "S", "finished", "planned", "caveats", "human"]
    assert list(results.methods().columns) == [*facts, "predict s", "peak MiB"]
    assert list(replace(results, runs=()).methods().columns) == facts
    assert run.id in results.methods()["origin"][0]


def test_scores_have_a_row_per_case_class_and_rater_with_their_names(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", RATERS))
    frame = mrbench.load_results(tmp_path).scores(metrics=["dice_rater"])
    assert list(frame.columns) == [
        "dataset", "method", "digest", "fold", "seed", "case", "subject", "class", "rater", "metric", "value",
    ]  # fmt: skip
    found = frame[["case", "subject", "class", "rater", "value"]].itertuples(index=False, name=None)
    assert list(found) == [
        ("s, 0", "s", "lesion", "a", 0.5), ("s, 0", "s", "lesion", "b", 0.7), ("t, 0", "t", "lesion", "b", 0.9),
    ]  # fmt: skip


def test_scores_average_to_the_table(tmp_path: Path):
    store_run(tmp_path, "r", *(StoredCell("proseg", GED, fold=fold, seed=seed) for fold in (0, 1) for seed in (0, 1)))
    results = mrbench.load_results(tmp_path)
    by_subject = results.scores(metrics=["ged"]).groupby(["fold", "seed", "subject"])["value"].mean()
    mean = by_subject.groupby(["fold", "seed"]).mean().groupby("fold").mean().mean()
    assert results.table().rows[0].values["ged"].mean == pytest.approx(mean, abs=1e-15)


def test_a_pooled_metric_has_no_value_of_a_case(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", {"s, 0": {"ged": {None: 0.5}}}))
    results = mrbench.load_results(tmp_path)
    assert results.scores(metrics=["ged"])["value"].tolist() == [0.5]
    assert results.scores(metrics=["ece"]).empty


def test_what_was_run_has_options_digests_and_costs(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", GED, spec={"options": {"epochs": 3}}), StoredCell("staple", GED))
    frame = mrbench.load_results(tmp_path).methods().set_index("method")
    assert frame.loc["proseg", "option epochs"] == 3
    assert frame.loc["staple", "human"]
    assert frame["digest"].str.len().tolist() == [64, 64]
    assert frame.loc["proseg", "predict s"] == 1.0


def test_a_method_of_two_configurations_is_chosen_by_an_option(tmp_path: Path):
    for epochs in (3, 9):
        spec = {"options": {"epochs": epochs}, "training": {"epochs": epochs}, "changed": {"epochs": epochs}}
        store_run(tmp_path, f"r{epochs}", StoredCell("proseg", GED, spec=spec))
    results = mrbench.load_results(tmp_path)
    assert results.method("proseg", epochs=9).runs == ("r9",)
    with pytest.raises(UsageError, match="2 method runs are called 'proseg'") as caught:
        results.method("proseg")
    assert "run r3: preset quick, epochs = 3, S 50, digest" in caught.value.found
    assert "; run r9: preset quick, epochs = 9, S 50, digest" in caught.value.found
    labels = [row.label for row in results.table().rows]
    assert labels == ["proseg, run r3", "proseg, run r9"]


def test_a_cell_is_found_by_fold_and_seed_and_a_missing_one_told(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", GED, seed=1))
    results = mrbench.load_results(tmp_path)
    assert results.cell("proseg", seed=1).spec.place == "fold0-seed1"
    with pytest.raises(UnknownNameError, match=r"'fold0-seed0' of 'proseg' of run r"):
        results.cell("proseg")


def test_unknown_names_name_the_nearest(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", GED))
    results = mrbench.load_results(tmp_path)
    for ask in (
        lambda: results.table("fantom"),
        lambda: results.method("prosegg"),
        lambda: results.table(protocol="stric"),
        lambda: results.scores(metrics=["gedd"]),
    ):
        with pytest.raises(UnknownNameError, match="did you mean"):
            ask()


def test_several_data_sets_must_be_named(tmp_path: Path):
    for dataset in ("phantom", "lidc"):
        store_run(tmp_path, dataset, StoredCell("proseg", GED), dataset=dataset)
    results = mrbench.load_results(tmp_path)
    with pytest.raises(UsageError, match="which data set"):
        results.table()
    assert {results.table(name).dataset for name in results.datasets} == {"phantom", "lidc"}
    assert set(results.scores()["dataset"]) == {"phantom", "lidc"}


def test_damaged_files_cost_what_they_hold_and_are_named(tmp_path: Path):
    store_run(tmp_path, "good", StoredCell("proseg", GED), StoredCell("proseg", GED, fold=1))
    store_run(tmp_path, "bad", StoredCell("staple", GED))
    (tmp_path / "runs" / "bad" / "run.json").write_text("{")
    record = next(tmp_path.glob("cells/phantom/proseg/*/fold1-seed0/record.json"))
    record.write_bytes(record.read_bytes()[:50])
    results = mrbench.load_results(tmp_path)
    assert [cell.status for cell in results.runs[0].results] == [Status.OK, Status.DAMAGED]
    assert str(record) in results.runs[0].failures[0]
    (note,) = results.notes
    assert str(tmp_path / "runs" / "bad") in note
    assert "the mrbench run that made it" in note


def test_what_another_version_wrote_costs_what_it_holds_and_is_named(tmp_path: Path):
    store_run(tmp_path, "good", StoredCell("proseg", GED), StoredCell("proseg", GED, fold=1))
    store_run(tmp_path, "new", StoredCell("staple", GED))
    record, newer = next(tmp_path.glob("cells/phantom/proseg/*/fold1-seed0/record.json")), FORMAT + 1
    for path in (record, tmp_path / "runs" / "new" / "run.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"format": newer}))
    results = mrbench.load_results(tmp_path)
    assert [cell.status for cell in results.cells] == [Status.OK, Status.DAMAGED]
    assert results.table().rows[0].values["ged"].count == "folds 1/2"
    (note,) = results.notes
    assert note.startswith(f"the run {tmp_path / 'runs' / 'new'} has another format: {newer} in place of {FORMAT}; ")


def test_where_no_run_can_be_read_a_table_says_why(tmp_path: Path):
    run = store_run(tmp_path, "r", StoredCell("proseg", GED))
    (run.folder / "run.json").write_text("{")
    with pytest.raises(UsageError, match="which data set") as caught:
        mrbench.load_results(tmp_path).table()
    assert str(run.folder) in caught.value.found


def test_a_folder_without_results_is_told_what_is_expected(tmp_path: Path):
    with pytest.raises(UsageError, match="there are no results") as caught:
        mrbench.load_results(tmp_path)
    assert "runs/" in caught.value.expected


def test_equal_rows_of_unequal_samples_are_told_apart_in_the_frame(tmp_path: Path):
    masks = np.ones((2, 4, 4), np.uint8)
    drawn = {"s, 0": (masks, [np.ones((4, 4), np.float32)] * 3, {})}
    store_run(tmp_path, "r", StoredCell("proseg-prior", drawn=drawn, spec={"samples": 3}))
    frame = mrbench.load_results(tmp_path).table(samples=(1, 3), metrics=["ged"]).to_pandas()
    assert list(frame.index) == ["proseg-prior, S 1", "proseg-prior, S 3"]


def test_pandas_is_imported_for_frames_alone(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", GED))
    program = (
        "import sys, mrbench; table = mrbench.load_results(sys.argv[1]).table(letters=True);"
        "assert 'pandas' not in sys.modules; table.to_pandas(); assert 'pandas' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True)


def test_a_leaderboard_and_its_archive_give_the_tables_of_the_site(tmp_path: Path):
    from synthetic_board import Made, again, entry_of, put

    good, bad = Made(method="good", level=0.5, seeds=2), Made(method="bad", level=0.8, seeds=2)
    for made in (good, bad, Made(method="people", people=True)):
        put(tmp_path / "board", *entry_of(made))
    old, files = entry_of(good)
    put(tmp_path / "board", again(old, 1, day="2025-01-02", note="old"), files)
    results = mrbench.load_results(tmp_path / "board")
    assert len(results.runs) == 4
    frame = results.table("phantom", letters=True).to_pandas()
    assert frame[("ged", "best")].tolist() == [True, False, False, False]
    assert frame[("ged", "letters")].tolist()[:2] == ["a", "b"]
    scores = results.scores("phantom", metrics=["ged"])
    assert len(scores) == (3 * 2 + 1) * 2 * 24


@pytest.fixture
def board(tmp_path: Path) -> Results:
    """A leaderboard with one entry."""
    from synthetic_board import Made, entry_of, put

    put(tmp_path, *entry_of(Made(method="good", folds=1)))
    return mrbench.load_results(tmp_path)


def test_a_leaderboards_table_has_the_metrics_that_are_named_in_their_order(board: Results):
    whole, part = board.table(), board.table(metrics=["dice_rater", "ged"])
    assert list(part.columns) == ["dice_rater", "ged"]
    assert {"dice_rater", "ged"} < set(whole.columns)
    assert [dict(row.values) for row in part.rows] == [{n: row.values[n] for n in part.columns} for row in whole.rows]
    assert set(part.to_pandas().columns.get_level_values(0)) == {"row", "cost", "option", "dice_rater", "ged"}


def test_metrics_of_a_leaderboard_have_bare_names_while_they_are_unique(board: Results):
    table = board.table()
    columns = {"mine:ged": table.columns["ged"], "mine:dice": table.columns["ged"], "other:dice": table.columns["ged"]}
    made = replace(board, made=lambda: [replace(table, columns=columns)])
    assert list(made.table(metrics=["ged"]).columns) == ["mine:ged"]
    assert list(made.table(metrics=["other:dice", "ged"]).columns) == ["other:dice", "mine:ged"]
    with pytest.raises(UnknownNameError, match="unknown metric 'dice' in the table of 'phantom'"):
        made.table(metrics=["dice"])


def test_what_a_leaderboard_does_not_have_is_refused(board: Results):
    with pytest.raises(UnknownNameError, match="unknown metric 'nonsense' in the table of 'phantom'"):
        board.table(metrics=["nonsense"])
    with pytest.raises(UsageError, match="a leaderboard has no table at 5, 10 samples"):
        board.table(samples=[5, 10])


def test_what_a_notebook_shows_of_each_is_one_line_that_names_it(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", GED), StoredCell("prob-unet", GED), StoredCell("proseg", GED, fold=1))
    results = mrbench.load_results(tmp_path)
    a, b = results.method("proseg"), results.method("prob-unet")
    assert repr(results) == "<Results: 2 method runs on phantom>"
    assert repr(results.cell("proseg", fold=1)) == "<Result proseg on phantom fold1-seed0: ok>"
    assert repr(a) == "<MethodRun 'proseg' of run r on phantom, 2 of 2 cells>"
    assert repr(results.table(metrics=["ged"])) == "<Table phantom, strict: proseg, prob-unet; ged>"
    comparison = mrbench.compare(a, b, metrics=["ged"])
    assert repr(comparison) == "<Comparison of 'prob-unet' of run r with 'proseg' of run r on phantom>"


def test_scores_that_cannot_be_read_are_warned_of_and_cost_their_own_cell(tmp_path: Path):
    run = store_run(tmp_path, "r", *(StoredCell("proseg", cases("ged", [0.1, 0.2]), fold=fold) for fold in (0, 1)))
    (path,) = run.cells[0][0].folder(tmp_path).glob("cases.csv*")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.warns(UserWarning, match=f"proseg fold0-seed0 damaged: {path} is not the file that was written"):
        found = mrbench.load_results(tmp_path).scores()
    assert set(found["fold"]) == {1}
