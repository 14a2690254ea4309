"""``mrbench score --predictions`` as a user types it: a run like any other, and what is refused."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored_runs import command_of

from mrbench.cli.external import default_name
from mrbench.engine.run import open_run
from mrbench.errors import UsageError
from mrbench.metrics.protocol import STRICT
from mrbench.registry import discover
from mrbench.results.caveats import EXTERNAL_PREDICTIONS
from mrbench.results.method_run import runs_of
from mrbench.results.tabulate import tabulate

CASES = [f"hospital {i}/scan:{i}" for i in range(6)]
SHAPES = [(9 + i % 2, 7) for i in range(6)]


def guesses(path: Path, samples: int = 5, cases: list[str] = CASES, seed: int = 0, prefix: str = "") -> Path:
    rng = np.random.default_rng(seed)
    shapes = dict(zip(CASES, SHAPES, strict=True))
    np.savez(path, **{f"{prefix}{c}/samples": rng.integers(0, 2, (samples, *shapes.get(c, (9, 7)))) for c in cases})
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return guesses(tmp_path / "my guesses (1).npz")


def test_external_predictions_are_a_run_like_any_other(origin, file: Path):
    shown = origin.score(file).stdout
    assert "external:my-guesses-1" in shown
    assert "made from (never ranked): all rows" in " ".join(shown.split())
    assert "train s" not in shown
    assert "peak MiB" not in shown, "nobody knows what they cost"
    record = origin.records()["external:my-guesses-1", 0]
    assert {path.name for path in record["folder"].iterdir()} == {"record.json", "cases.csv.gz", "predictions.h5"}
    assert record["status"] == "ok"
    assert record["spec"]["samples"] == 5
    assert record["spec"]["capabilities"] == ["diverse"]
    assert record["native_grid"] is True
    assert record["folds"] == 2
    again = origin.call("show", "last", "--plugin-file", origin.plugin).stdout
    assert "external:my-guesses-1" in again
    published = origin.call("score", "last", "--protocol", "published", "--plugin-file", origin.plugin).stdout
    assert "scoring protocol published" in published


def test_the_same_predictions_are_scored_once_and_others_anew(origin, file: Path):
    origin.score(file, "--name", "once")
    before = origin.records()["external:once", 0]
    assert "finished before, kept" in origin.score(file, "--name", "once").stderr
    assert origin.records()["external:once", 0] == before
    guesses(file, seed=1)
    assert "kept" not in origin.score(file, "--name", "once").stderr
    assert origin.records()["external:once", 0]["digests"] != before["digests"]


def test_a_cell_with_a_damaged_record_is_computed_again_and_the_others_are_kept(origin, file: Path):
    first = origin.score(file, "--name", "hurt").stdout
    path = origin.records()["external:hurt", 1]["folder"] / "record.json"
    path.write_text(path.read_text()[:200])
    shown = origin.call("show", "last", "--plugin-file", origin.plugin, code=1).stdout
    assert "fold1-seed0 damaged: cannot read the record" in shown
    again = origin.score(file, "--name", "hurt")
    assert again.stderr.count("finished before, kept") == 1
    assert again.stdout == first


def test_the_reproduce_command_finds_the_same_cell(origin, file: Path):
    origin.score(file, "--name", "again", "--fold", "1")
    command = shlex.split(command_of(origin.records()["external:again", 1]))
    assert command[:2] == ["mrbench", "score"]
    command[command.index("odd.py")] = str(origin.plugin)
    assert "finished before, kept" in origin.call(*command[1:]).stderr


def test_rows_of_external_predictions_are_never_ranked(origin, file: Path):
    runs = []
    for seed, (name, samples) in enumerate((("few", 4), ("five", 5), ("more", 5))):
        origin.score(guesses(file, samples, seed=seed), "--name", name)
        runs.append(open_run("last", origin.results))
    both = replace(runs[0], cells=[cell for run in runs for cell in run.cells])
    (table,) = tabulate(runs_of(both), discover(files=[origin.plugin]), STRICT)
    assert len(table.rows) == 3
    assert all(row.caveats[0] == EXTERNAL_PREDICTIONS and not row.costs for row in table.rows)
    assert not any(value.best for row in table.rows for value in row.values.values())


def test_json_holds_the_cells(origin, file: Path):
    found = json.loads(origin.score(file, "--json", "--metric", "ged").stdout)
    assert [cell["status"] for cell in found["cells"]] == ["ok", "ok"]
    assert list(found["tables"][0]["rows"][0]["metrics"]) == ["ged"]


def test_missing_cases_are_counted_and_named_with_their_folds(origin, tmp_path: Path):
    test = [origin.cases.splits["strict"].folds[fold].test for fold in (0, 1)]
    lost = [CASES[index] for index in test[1][:2]]
    path = guesses(tmp_path / "a.npz", cases=[case for case in CASES if case not in lost])
    text = origin.refused(path)
    for word in ("lacks 2 of 6 test cases", "2 in fold 1", *map(repr, lost), "--fold 0 scores what is whole"):
        assert word in text
    assert "external:a" in origin.score(path, "--fold", "0").stdout


def test_cases_that_the_data_set_lacks_are_told_of_and_left_alone(origin, tmp_path: Path):
    path = guesses(tmp_path / "a.npz", cases=[*CASES, "x", "y"])
    text = origin.score(path).stderr
    assert "warning:" in text
    assert "2 cases are not in data set 'odd', left alone: 'x', 'y'" in text


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_where_nothing_matches_both_ways_of_naming_are_shown(origin, tmp_path: Path, suffix: str):
    import h5py

    path = guesses(tmp_path / "a.npz", prefix="mine-")
    if suffix == ".h5":
        with np.load(path) as arrays, h5py.File(path := tmp_path / "a.h5", "w") as file:
            for name in arrays:
                file[name] = arrays[name]
    text = origin.refused(path)
    for word in ("no case in", "'hospital 0/scan:0'", "'mine-hospital 0", "cases.csv"):
        assert word in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("last", "--dataset", "phantom"), "--dataset is for predictions made elsewhere"),
        (("last", "--fold", "0"), "--fold is for"),
        (("last", "--pattern", "{case}.png"), "--pattern is for"),
        (("last", "--predictions", "a.npz", "--dataset", "phantom"), "both a run and --predictions"),
        (("--predictions", "a.npz"), "no data set is named"),
        (("--predictions", "a.npz", "--dataset", "fantom"), "did you mean 'phantom'"),
        (("--predictions", "a.npz", "--dataset", "phantom"), "no predictions at a.npz"),
        (("--predictions", "a.txt", "--dataset", "phantom"), ".h5, .hdf5, .npz, or a folder"),
        (("--predictions", "a.txt", "--dataset", "phantom", "--pattern", "{case}.png"), "--pattern is for a folder"),
        (("--predictions", "folder", "--dataset", "phantom", "--pattern", "{c}.png"), "cannot use the pattern"),
        (("--predictions", "a.npz", "--dataset", "phantom", "--set", "sized=3"), "did you mean 'size'"),
        (("--predictions", "a.npz", "--dataset", "phantom", "--fold", "9"), "no fold 9"),
        (("--predictions", "a.npz", "--dataset", "phantom", "--split", "stric"), "did you mean 'strict'"),
        (("--predictions", "a.npz", "--dataset", "phantom", "--name", "a:b"), "cannot name a row"),
        (("--predictions", "a.npz", "--dataset", "phantom", "--name", "../a"), "cannot name a row"),
        (("--predictions", "a.npz", "--dataset", "phantom", "--name", ""), "cannot name a row"),
        (("--predictions", "a.npz", "--dataset", "phantom", "--metric", "gde"), "did you mean 'ged'"),
    ],
)
def test_a_wrong_word_is_a_usage_error(mrbench, tmp_path: Path, words: tuple[str, ...], message: str):
    (tmp_path / "a.txt").touch()
    (tmp_path / "folder").mkdir()
    result = mrbench("score", *words, *(("--set", "phantom.subjects=6") if "--predictions" in words else ()))
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("results").exists()


def test_run_says_that_external_predictions_are_scored_not_computed(mrbench):
    result = mrbench("run", "--method", "external:mine", "--dataset", "phantom")
    assert result.exit_code == 2
    assert "mrbench score --predictions PATH --name mine --dataset NAME" in result.stderr


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.h5", "a"), ("a b.v2.npz", "a-b-v2"), ("(1).npz", "1"), ("ü.npz", "predictions"), ("-.h5", "predictions")],
)
def test_the_default_name_is_that_of_the_file(tmp_path: Path, name: str, found: str):
    assert default_name(tmp_path / name) == found
    (tmp_path / "x.y").mkdir()
    assert default_name(tmp_path / "x.y") == "x-y"


def test_a_file_that_changes_while_it_is_scored_leaves_nothing(origin, file: Path, monkeypatch: pytest.MonkeyPatch):
    from mrbench.external.arrays import ArraySource

    real = ArraySource.draws

    def draws(self, case, grid):
        file.touch()
        yield from real(self, case, grid)

    monkeypatch.setattr(ArraySource, "draws", draws)
    assert "changed while it was read" in origin.refused(file, "--name", "moving")


def test_a_specification_of_an_external_cell_is_read_back(origin, file: Path):
    from mrbench.engine.cell import CellSpec

    origin.score(file, "--name", "v1.2_x")
    spec = origin.records()["external:v1.2_x", 0]["spec"]
    assert CellSpec.from_json(spec).as_json() == {**spec, "capabilities": ("diverse",)}


def test_names_are_checked_before_any_predictions_are_read():
    from mrbench.cli.external import _checked

    for name in ("a", "A-1_b.c", "9"):
        assert _checked(name) == name
    for name in (".a", "a.", "a..b", "-a", "a b", "a/b", "x" * 81):
        with pytest.raises(UsageError, match="cannot name a row"):
            _checked(name)


@pytest.mark.parametrize("error", [OSError("the disk went away"), MemoryError(), KeyboardInterrupt()])
def test_whatever_ends_the_scoring_leaves_nothing_half_written(
    origin, file: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
):
    from mrbench.external.arrays import ArraySource

    def draws(*_):
        raise error
        yield

    monkeypatch.setattr(ArraySource, "draws", draws)
    before = origin.records()
    with pytest.raises((OSError, MemoryError, SystemExit, KeyboardInterrupt, AssertionError)):
        origin.score(file, "--name", "ended")
    assert origin.records().keys() == before.keys()
    assert not list(origin.results.glob("**/*.attempt-*"))


def test_a_file_that_goes_away_while_it_is_scored_leaves_nothing(origin, file: Path, monkeypatch: pytest.MonkeyPatch):
    from mrbench.external.arrays import ArraySource

    real = ArraySource.draws

    def draws(self, case, grid):
        file.unlink(missing_ok=True)
        yield from real(self, case, grid)

    monkeypatch.setattr(ArraySource, "draws", draws)
    assert "changed while it was read" in origin.refused(file, "--name", "gone")
