"""The Python door does what the commands do: the same run, cells, digests, numbers and errors."""

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from stored_runs import StoredCell, cases, store_run

from mrbench import compare, load_results, run
from mrbench.engine.cell import Status
from mrbench.engine.launch import Launch
from mrbench.engine.run import open_run
from mrbench.errors import UnknownNameError, UsageError

Call = Callable[..., Result]

TINY: dict[str, Any] = {"phantom.subjects": 9, "phantom.size": 32}
STAPLE: dict[str, Any] = {"settings": TINY, "folds": [0]}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MRBENCH_DATA", str(tmp_path / "data"))


def test_a_run_is_computed_and_its_command_is_the_same_run(mrbench: Call):
    results = run("staple", "phantom", seed=3, samples=7, out="out", **STAPLE)
    assert [cell.status for cell in results.cells] == [Status.OK]
    (found,) = results.sources
    assert found.command == (
        "mrbench run --method staple --dataset phantom --set phantom.subjects=9 --set phantom.size=32 --fold 0 "
        "--seed 3 --samples 7 --out out"
    )
    plan = mrbench(*shlex.split(found.command)[1:], "--dry-run", "--json")
    assert json.loads(plan.stdout)["run"] == found.id
    assert [cell["state"] for cell in json.loads(plan.stdout)["cells"]] == ["kept"]


def test_numbers_of_numpy_and_values_that_stand_alone_ask_for_the_same_run():
    plain = run(["staple"], ["phantom"], samples=5, folds=[0], timeout=60.0, settings=TINY)
    found = run("staple", "phantom", samples=np.int64(5), folds=np.int8(0), timeout=np.float32(60), settings=TINY)
    assert found.sources[0].command == plain.sources[0].command
    assert found.sources[0].id == plain.sources[0].id


class StoppedError(Exception):
    def __init__(self, launch: Launch) -> None:
        self.launch = launch


def stop(launch: Launch, *_: Any) -> None:
    raise StoppedError(launch)


def test_the_command_of_every_argument_asks_for_the_same(
    mrbench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Launch, "planned", stop)
    monkeypatch.setattr("mrbench.door.discover_with_warnings", lambda _files: None)
    monkeypatch.setattr("mrbench.cli.run.registry", lambda _files: None)
    with pytest.raises(StoppedError) as asked:
        run(
            ["toy-fine", "proseg"], ["phantom"], test_on="bubil-phase:strict", preset={"proseg": "quick", "": "paper"},
            settings={"proseg": {"epochs": 3}, "prior": (0.9, 0.1), "mirrored": True, "size": np.int64(32)},
            folds=(0, 2), seed=1, seeds=2, split="other", samples=9, limit=4, raters_present=2, sparsity="fixed",
            precision="bf16", threads=3, data=tmp_path / "d", out=tmp_path / "o", device="cpu",
            jobs=2, timeout=60.0, force=True, plugin_files=[tmp_path / "a.py"], observe="tensorboard",
        )  # fmt: skip
    command = asked.value.launch.command
    words = shlex.split(command)
    assert {"proseg.epochs=3", "prior=0.9,0.1", "mirrored=true", "size=32", "proseg=quick", "paper"} <= set(words)
    options = set(re.findall(r"--[a-z-]+", mrbench("run", "--help").stdout))
    # They show, or are commands of their own.
    shown = {"--config", "--metric", "--dry-run", "--json", "--help", "--diagnose"}
    assert options - shown == {word for word in words if word.startswith("--")}, "an option has no argument"
    with pytest.raises(StoppedError) as typed:
        mrbench(*words[1:])
    assert typed.value.launch == asked.value.launch
    assert typed.value.launch.command == command


@pytest.mark.usefixtures("toys")
def test_a_failed_cell_is_in_the_result_and_the_same_call_keeps_the_others():
    first = run(["toy-fine", "toy-raises"], "phantom", preset="quick", samples=4, **STAPLE)
    assert {r.spec.method.partition("toy-")[2]: r.status for r in first.cells} == {
        "fine": Status.OK,
        "raises": Status.FAILED,
    }
    finished = {path: path.stat().st_mtime_ns for path in Path("results/cells").glob("*/*fine/**/record.json")}
    assert len(finished) == 1
    second = run(["toy-fine", "toy-raises"], "phantom", preset="quick", samples=4, **STAPLE)
    assert second.sources[0].id == first.sources[0].id
    assert finished == {path: path.stat().st_mtime_ns for path in finished}


def test_a_notebook_and_a_script_without_a_main_run_too(tmp_path: Path):
    code = textwrap.dedent(
        f"""
        import mrbench
        run = mrbench.run("staple", "phantom", settings={TINY!r}, folds=[0], out="out")
        print(run.sources[0].id, *(cell.status for cell in run.cells))
        """
    )
    (tmp_path / "script.py").write_text(code)
    said = [
        subprocess.run(
            [sys.executable, *words], input=code, text=True, check=True, capture_output=True, env=os.environ
        ).stdout.split()
        for words in (["-"], ["script.py"])
    ]
    assert said[0] == said[1]
    assert said[0][1:] == ["ok"]
    assert open_run("last", Path("out")).id == said[0][0]


def test_progress_is_shown_where_it_is_asked_for(capfd: pytest.CaptureFixture[str]):
    run("staple", "phantom", **STAPLE)
    assert capfd.readouterr() == ("", "")
    run("staple", "phantom", progress=True, **STAPLE)
    shown = capfd.readouterr()
    assert "finished before, kept" in shown.err
    assert not shown.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"methods": "stapel"}, "did you mean 'staple'"),
        ({"methods": []}, "no method is named"),
        ({"datasets": []}, "no dataset is named"),
        ({"settings": {"phantom.subject": 9}}, "did you mean 'subjects'"),
        ({"folds": [7]}, "no fold 7"),
        ({"seeds": 0}, "seeds has a wrong value\n  expected: a whole number from 1"),
        ({"samples": 10**9}, "samples has a wrong value"),
        ({"samples": "5"}, "samples has a wrong value\n  expected: a whole number from 1\n  found:    '5'"),
        ({"folds": ["0"]}, "folds has a wrong value\n  expected: a whole number from 0\n  found:    '0'"),
        ({"folds": "0"}, "folds has a wrong value\n  expected: a whole number from 0, or a list of them"),
        ({"folds": -1}, "folds has a wrong value"),
        ({"methods": 3}, "methods has a wrong value\n  expected: text, or a list of texts\n  found:    3"),
        ({"timeout": "5"}, "timeout has a wrong value"),
        ({"preset": 3}, "preset has a wrong value\n  expected: a name, or a mapping"),
        ({"preset": {"": 3}}, "preset has a wrong value"),
        ({"settings": "epochs=3"}, "settings has a wrong value"),
        ({"split": 3}, "split has a wrong value"),
        ({"raters_present": "2"}, "raters_present has a wrong value"),
        ({"plugin_files": "my.py"}, "cannot read the plugin file my.py"),
        ({"plugin_files": 3}, "plugin_files has a wrong value"),
        ({"out": None}, "out has a wrong value\n  expected: a path"),
        ({"data": 3}, "data has a wrong value"),
        ({"limit": 1.5}, "limit has a wrong value"),
        ({"jobs": True}, "jobs has a wrong value"),
        ({"device": "tpu"}, "auto, cpu, cuda, mps"),
        ({"timeout": 0}, "timeout has a wrong value"),
        ({"sparsity": "fixed"}, "--raters-present N"),
        ({"raters_present": 1}, "a method that learns"),
        ({"precision": "fp8"}, "--precision has a wrong value"),
        ({"preset": {"proseg": "quick"}}, "unknown method 'proseg'"),
        ({"observe": "tensorbord"}, "did you mean 'tensorboard'"),
        ({"settings": {"size": object()}}, "a setting has a wrong value"),
    ],
)
def test_a_wrong_argument_is_a_usage_error_and_leaves_nothing(arguments: dict[str, Any], message: str):
    given: dict[str, Any] = {"methods": "staple", "datasets": "phantom", "settings": TINY, **arguments}
    with pytest.raises(UsageError, match=re.escape(message)):
        run(given.pop("methods"), given.pop("datasets"), **given)
    assert not Path("results").exists()


def test_what_there_is_to_say_about_a_run_is_a_warning(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mrbench.engine.conditions.bf16_warning", lambda _device: "it is slow here")
    monkeypatch.setattr("mrbench.engine.execute.execute", lambda *_: [])
    monkeypatch.setattr("mrbench.door.open_run", lambda *_: None)
    monkeypatch.setattr("mrbench.door.merged_runs", lambda _: [])
    with pytest.warns(UserWarning, match="--precision bf16: it is slow here"):
        run("proseg", "phantom", precision="bf16", **STAPLE)


def test_a_split_that_there_is_not_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'strict'"):
        run("staple", "phantom", split="strct", **STAPLE)


def test_a_comparison_is_that_of_the_command(mrbench: Call, tmp_path: Path):
    own = {"proseg": 0.0, "prob-unet": 0.05}
    noise = np.random.default_rng(0).random((12, 2)).tolist()
    cells = [
        StoredCell(m, cases("ged", *([v + shift + seed * v / 9 for v in two] for two in noise)), seed=seed)
        for m, shift in own.items()
        for seed in (0, 1)
    ]
    store_run(tmp_path / "results", "r", *cells)
    results = load_results(tmp_path / "results")
    found = compare(results.method("proseg"), results.method("prob-unet")).to_pandas()
    command = mrbench("compare", "r:proseg", "r:prob-unet", "--json")
    (told,) = json.loads(command.stdout)["comparisons"][0]["metrics"]
    assert found.index.tolist() == [told["metric"]]
    assert found["difference"].tolist() == [told["difference"]] == [pytest.approx(0.05)]
    assert found[["low", "high"]].values.tolist() == [[told["interval"]["low"], told["interval"]["high"]]]
    assert found["p"].tolist() == [told["corrected"]]
    assert found["verdict"].tolist() == [told["verdict"]]
    assert found[["trainings_better", "trainings"]].values.tolist() == [[told["better"]["better"], 4]]


def test_what_is_no_method_run_cannot_be_compared(tmp_path: Path):
    store_run(tmp_path, "r", StoredCell("proseg", cases("ged", [0.1], [0.2])))
    results = load_results(tmp_path)
    own, wrong = results.method("proseg"), ["proseg", results.cells[0], None]
    for sides in [(own, one) for one in wrong] + [(one, own) for one in wrong]:
        with pytest.raises(UsageError, match=r"expected: a method run\n.*\n.*results\.method\(NAME\)"):
            compare(*sides)


@pytest.mark.parametrize("wrong", [{"path": None}, {"path": 3}, {"run": 3}, {"plugin_files": 3}])
def test_results_are_loaded_from_paths_alone(wrong: dict[str, Any]):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} has a wrong value"):
        load_results(**wrong)


def test_what_cannot_be_compared_says_why(tmp_path: Path):
    for dataset in ("phantom", "lidc"):
        store_run(tmp_path / dataset, "r", StoredCell("proseg", cases("ged", [0.1], [0.2])), dataset=dataset)
    one, other = (load_results(tmp_path / dataset).runs[0] for dataset in ("phantom", "lidc"))
    with pytest.raises(UsageError, match="on two data sets"):
        compare(one, other)
    with pytest.raises(UsageError, match="the same cells"):
        compare(one, one)
