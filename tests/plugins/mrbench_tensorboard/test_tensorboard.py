"""The events that TensorBoard's own reader finds are what the cells left behind."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from stored_runs import vouch_again

from mrbench.engine.run import open_run
from mrbench.errors import DataError
from mrbench_tensorboard import folder_of, mrbench_cell_end
from mrbench_tensorboard.events import write_events
from mrbench_tensorboard.scalars import Scalar, curve_scalars, record_scalars

Call = Callable[..., Result]
WRITTEN = "2026-01-02T03:04:05+00:00"
CURVES = """\
stage,epoch,learning_rate,train/total,validation/total
first,0,0.1,2.0,3.0
first,1,0.1,1.5,
second,0,0.1,nan,0.25
"""


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tags with steps and values, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    tags = events.Tags()["scalars"]
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags}


@pytest.mark.usefixtures("toys")
def test_a_run_leaves_what_its_cells_hold(mrbench: Call, tmp_path: Path):
    words = ("--dataset", "phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32", "--samples", "4")
    methods = ("--method", "toy-fine", "--method", "staple", "--preset", "quick")
    mrbench("run", *methods, *words, "--fold", "0", "--out", "out", "--observe", "tensorboard")
    (events,) = (tmp_path / "out" / "runs").glob("*/tensorboard/phantom")
    assert {path.name for path in events.iterdir()} == {"mrbench-toys--toy-fine", "staple"}
    (cell,) = (path.parent for path in tmp_path.glob("out/cells/phantom/*toy-fine/*/*/record.json"))
    record = json.loads((cell / "record.json").read_text())
    found = read(events / "mrbench-toys--toy-fine" / "fold0-seed0")
    rows = list(csv.DictReader((cell / "curves.csv").read_text().splitlines()))
    assert len(rows) > 1
    for column in ("train/total", "validation/total"):
        expected = [(int(row["epoch"]), pytest.approx(float(row[column]), rel=1e-6)) for row in rows]
        assert found[f"{rows[0]['stage']}/{column}"] == expected
    assert found["metrics/ged"] == [(0, pytest.approx(record["metrics"]["ged"]["value"], rel=1e-6))]
    assert found["cost/parameters"] == [(0, record["profile"]["parameters"])]
    seconds = record["profile"]["phases"]["fit"]["seconds"]
    assert found["cost/fit_seconds"] == [(0, pytest.approx(seconds, rel=1e-6))]
    assert not any(tag.startswith("toy") for tag in read(events / "staple" / "fold0-seed0"))


def test_curves_are_read_stage_by_stage(tmp_path: Path):
    (tmp_path / "curves.csv").write_text(CURVES)
    found = [scalar for scalar in curve_scalars(tmp_path / "curves.csv") if "learning_rate" not in scalar.tag]
    assert found[:4] == [
        Scalar("first/train/total", 0, 2.0),
        Scalar("first/validation/total", 0, 3.0),
        Scalar("first/train/total", 1, 1.5),
        found[3],
    ]
    assert found[3].value != found[3].value, "what is not a number is told as such"
    assert found[4:] == [Scalar("second/validation/total", 0, 0.25)]


def test_curves_that_are_not_what_the_cell_left_are_refused(mrbench: Call, tmp_path: Path):
    words = ("--dataset", "phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32", "--fold", "0")
    mrbench("run", "--method", "staple", *words, "--out", "out")
    run = open_run("last", tmp_path / "out")
    ((spec, _),) = run.cells
    folder = spec.folder(run.results)
    (folder / "curves.csv").write_text(CURVES)
    vouch_again(folder)
    record = run.record_of(spec)
    assert record
    mrbench_cell_end(run, spec, record)
    (events,) = run.folder.glob("tensorboard/phantom/staple/fold0-seed0")
    assert "first/train/total" in read(events)
    (folder / "curves.csv").write_text(CURVES.replace("1.5", "1.4"))
    with pytest.raises(DataError, match=r"curves\.csv is not the file that was written"):
        mrbench_cell_end(run, spec, record)


def test_costs_are_the_numbers_of_the_profile():
    profile = {"phases": {"fit": {"seconds": 2.5}}, "parameters": 7, "resumed": True, "note": "x"}
    record = {"metrics": {"ged": {"value": 0.5}}, "profile": profile}
    assert list(record_scalars(record)) == [
        Scalar("metrics/ged", 0, 0.5), Scalar("cost/fit_seconds", 0, 2.5), Scalar("cost/parameters", 0, 7),
    ]  # fmt: skip
    assert list(record_scalars({"status": "failed"})) == []


def test_the_same_cell_again_replaces_its_events(tmp_path: Path):
    write_events(tmp_path / "cell", [Scalar("a", 0, 1.0)], WRITTEN)
    write_events(tmp_path / "cell", [Scalar("a", 0, 2.0), Scalar("a", 1, 3.0)], "2026-01-02T03:04:06+00:00")
    assert read(tmp_path / "cell") == {"a": [(0, 2.0), (1, 3.0)]}
    assert len(list((tmp_path / "cell").iterdir())) == 1
    write_events(tmp_path / "cell", [], WRITTEN)
    assert not list((tmp_path / "cell").iterdir())
    write_events(tmp_path / "other", [], WRITTEN)
    assert not (tmp_path / "other").exists()


def test_a_strangers_method_has_a_folder_of_its_own(tmp_path: Path):
    assert folder_of(tmp_path, "d:set", "m:one", "fold0-seed0") == tmp_path / "tensorboard/d--set/m--one/fold0-seed0"


def test_writing_loads_neither_torch_nor_tensorflow():
    code = "import sys, mrbench_tensorboard.events; print({'torch', 'tensorflow', 'grpc'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_without_the_package_the_command_ends_before_anything_is_computed(
    mrbench: Call, monkeypatch: pytest.MonkeyPatch
):
    for name in [name for name in sys.modules if name.startswith(("tensorboard", "mrbench_tensorboard.events"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    result = mrbench("run", "--method", "staple", "--dataset", "phantom", "--out", "out", "--observe", "tensorboard")
    assert result.exit_code == 2
    assert "the observer 'tensorboard' needs the package tensorboard" in result.stderr
    assert "pip install 'mrbench[tensorboard]'" in result.stderr
    assert not Path("out").exists()
    doctor = json.loads(mrbench("doctor", "--json").stdout)
    assert "pip install 'mrbench[tensorboard]'" in doctor["observers"]["tensorboard"]["state"]
