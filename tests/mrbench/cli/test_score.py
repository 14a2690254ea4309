"""``mrbench score``: again, under another protocol, and at smaller sample budgets."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from click.testing import CliRunner, Result
from stored_runs import vouch_again

TINY = ("--set", "phantom.subjects=9", "--set", "phantom.size=32")
RUN = ("--method", "random-rater", "--method", "staple", "--dataset", "phantom", "--samples", "8", *TINY)

Mrbench = Callable[..., Result]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a fusion with samples and of one with a single output."""
    from mrbench.cli import group

    folder = tmp_path_factory.mktemp("score") / "results"
    result = CliRunner().invoke(group, ["run", *RUN, "--out", str(folder), "--data", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


def rows(result: Result) -> dict[tuple[str, int], dict[str, float]]:
    (table,) = json.loads(result.stdout)["tables"]
    return {
        (row["method"], row["samples"]): {name: value["mean"] for name, value in row["metrics"].items()}
        for row in table["rows"]
    }


def test_a_budget_has_a_row_of_its_own_from_one_set_of_predictions(mrbench: Mrbench, results: Path):
    found = rows(mrbench("score", "last", "--out", results, "--samples", "4, 2,8,4", "--json"))
    assert list(found) == [("random-rater", 2), ("random-rater", 4), ("random-rater", 8), ("staple", 1)]
    whole = rows(mrbench("score", "last", "--out", results, "--json"))
    assert found["random-rater", 8]["ged"] == whole["random-rater", 8]["ged"]
    assert found["staple", 1]["ged"] == whole["staple", 1]["ged"]
    assert found["random-rater", 2]["ged"] > found["random-rater", 4]["ged"] > found["random-rater", 8]["ged"]


def test_what_a_budget_cannot_know_is_blank_and_said(mrbench: Mrbench, results: Path):
    result = mrbench("score", "last", "--out", results, "--samples", "2", "--metric", "ged", "--metric", "ece")
    assert "what needs the mean probability of all is blank: random-rater" in " ".join(result.stdout.split())
    found = rows(mrbench("score", "last", "--out", results, "--samples", "2,8", "--metric", "ece", "--json"))
    assert {at for at, values in found.items() if values} == {("random-rater", 8), ("staple", 1)}


def test_the_command_that_prints_the_curve_again_is_told(mrbench: Mrbench, results: Path):
    result = mrbench("score", "last", "--out", results, "--samples", "8,2")
    assert result.stdout.splitlines()[-1].strip().startswith("mrbench score phantom-")
    assert " --samples 2,8 " in result.stdout.splitlines()[-1]


def test_more_samples_than_are_stored_are_refused(mrbench: Mrbench, results: Path):
    result = mrbench("score", "last", "--out", results, "--samples", "4,9")
    assert result.exit_code == 2
    assert "cannot be scored at 9 samples\n  expected: at most S = 8, which are stored" in result.stderr


@pytest.mark.parametrize("text", ["0", "4,", "a", "-1", "1.5", "4 10", "²", "9" * 30])
def test_what_is_no_list_of_numbers_is_refused(mrbench: Mrbench, text: str):
    result = mrbench("score", "last", "--samples", text)
    assert result.exit_code == 2
    assert "no list of numbers above 0, such as 4,10,50" in result.stderr


def test_metrics_that_no_budget_changes_are_refused(mrbench: Mrbench, results: Path):
    result = mrbench("score", "last", "--out", results, "--samples", "4", "--metric", "dice_rater")
    assert result.exit_code == 2
    assert "no sample budget changes dice_rater" in result.stderr


def test_any_number_of_jobs_prints_the_same(mrbench: Mrbench, results: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mrbench.engine.score.PARALLEL_CASES", 1)
    alone, several = (mrbench("score", "last", "--out", results, "--jobs", jobs, "--json").stdout for jobs in (1, 2))
    assert alone == several


def test_predictions_of_another_format_exit_with_4(mrbench: Mrbench, results: Path, tmp_path: Path):
    shutil.copytree(results, tmp_path / "old")
    for path in (tmp_path / "old").rglob("predictions.h5"):
        with h5py.File(path, "a") as file:
            file.attrs["mrbench_predictions"] = 1
        vouch_again(path.parent)
    result = mrbench("score", "last", "--out", tmp_path / "old")
    assert result.exit_code == 4
    assert "has another format\n  expected: 2\n  found:    1\n  next:     mrbench run --force" in result.stderr
