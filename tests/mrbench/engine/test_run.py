"""Runs of toy methods: every fault is a row, nothing finished is lost, the same command continues."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from conftest import write_toys
from stored_runs import StoredCell, cases, command_of, store_run

TINY = (
    "--dataset",
    "phantom",
    "--set",
    "phantom.subjects=9",
    "--set",
    "phantom.size=32",
    "--fold",
    "0",
    "--samples",
    "4",
)

pytestmark = pytest.mark.usefixtures("toys")
Call = Callable[..., Result]


def records(folder: Path) -> dict[str, dict]:
    found = {}
    for path in folder.glob("cells/**/record.json"):
        record = json.loads(path.read_text())
        found[record["spec"]["method"].removeprefix("mrbench-toys:")] = record
    return found


def as_json(result: Result) -> dict:
    return json.loads(result.stdout)


def run_toy(mrbench: Call, *names: str, more: tuple[str, ...] = ()) -> Result:
    methods = [word for name in names for word in ("--method", f"toy-{name}")]
    return mrbench("run", *methods, *TINY, "--out", "out", "--json", *more)


def test_a_finished_cell_leaves_everything_that_the_design_names(mrbench: Call, tmp_path: Path):
    result = run_toy(mrbench, "fine")
    assert result.exit_code == 0, result.output
    (folder,) = (path.parent for path in tmp_path.glob("out/cells/**/record.json"))
    assert {path.name for path in folder.iterdir()} == {
        "record.json", "cases.csv.gz", "curves.csv", "predictions.h5", "log.txt",
    }  # fmt: skip
    record = json.loads((folder / "record.json").read_text())
    assert record["status"] == "ok"
    assert {"ged", "dice_soft"} <= set(record["metrics"])
    assert "dice_rater" not in record["metrics"], "a method without rater predictions has no dice_rater"
    assert {"prepare", "fit", "predict", "score"} == set(record["profile"]["phases"])
    assert record["profile"]["parameters"] == 2
    assert record["environment"]["omp_wait_policy"] == "PASSIVE"
    assert record["environment"]["threads"] >= 1
    rows = gzip.decompress((folder / "cases.csv.gz").read_bytes()).decode().splitlines()
    assert len(rows) > record["metrics"]["ged"]["cases"]


def test_the_reproduce_command_finds_the_same_cell(mrbench: Call, tmp_path: Path):
    run_toy(mrbench, "fine", more=("--set", "toy-fine.shift=1", "--seed", "3"))
    command = command_of(records(tmp_path / "out")["toy-fine"]).split()[1:]
    plan = mrbench(*command, "--out", "out", "--dry-run")
    assert "kept" in plan.stdout
    assert "to do" not in plan.stdout


FAULTS = {
    "raises": ("failed", "a fault of the author's in [/brackets] and [red]"),
    "wrong-shape": ("failed", "wrong shape"),
    "nan": ("diverged", "non-finite probabilities"),
    "nothing": ("failed", "sample() gives no tensor"),
    "too-few": ("failed", "drawn from pixels"),
    "unnormalised": ("failed", "not probabilities"),
    "nan-loss": ("diverged", "epoch 0, step 0"),
    "killed": ("failed", "SIGKILL"),
    "exits": ("failed", "code 7"),
    "no-memory": ("out-of-memory", "MemoryError"),
    "loss-is-tensor": ("failed", "named terms"),
    "full-disk": ("failed", "disk"),
    "loss-of-each": ("failed", "found:    'cross_entropy' is a tensor of shape (8,)"),
    "no-gradient": ("failed", "depends on no parameter that the stage trains"),
    "integers": ("failed", "float logits\n  found:    torch.int64"),
    "array": ("failed", "gives no tensor"),
}
PLACES = {
    "raise ValueError(\"a fault of the author's in": ("raises",),
    "def loss": ("nan-loss", "loss-is-tensor", "loss-of-each", "no-gradient"),
    "def sample": ("wrong-shape", "nan", "unnormalised", "integers", "array", "nothing", "too-few"),
}
"""The line of the toys' code that a reason names."""


@pytest.fixture(scope="module")
def faulty_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """One run of every faulty method and of a good one, two side by side."""
    folder = tmp_path_factory.mktemp("faulty")
    # Beside what stands there: a tree that is not installed is tested too.
    path = os.pathsep.join([str(write_toys(folder / "site")), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path}
    methods = [word for name in (*FAULTS, "fine") for word in ("--method", f"toy-{name}")]
    command = [sys.executable, "-m", "mrbench", "run", *methods, *TINY, "--out", "out", "--json", "--jobs", "2"]
    return folder, subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


@pytest.mark.parametrize("name", [*FAULTS, "fine"])
def test_every_fault_is_a_row_with_its_reason_beside_the_others(
    faulty_run: tuple[Path, subprocess.CompletedProcess[str]], name: str
):
    folder, output = faulty_run
    assert output.returncode == 1, output.stderr
    cells = {cell["cell"].split()[0].partition("toy-")[2]: cell for cell in json.loads(output.stdout)["cells"]}
    status, reason = FAULTS.get(name, ("ok", ""))
    assert cells[name]["status"] == status
    assert reason in cells[name]["reason"]
    assert records(folder / "out")[f"toy-{name}"]["status"] == status
    named = [text for text, names in PLACES.items() if name in names]
    source = (folder / "site/mrbench-toys/toy_methods.py").read_text().splitlines()
    lines = [number for number, text in enumerate(source, 1) if any(at in text for at in named)]
    first = cells[name]["reason"].partition("\n")[0]
    assert [first.endswith(f" (toy_methods.py:{line})") for line in lines] == [True] * len(named), first
    left = name in ("killed", "exits", "full-disk", "no-memory")  # the machine's faults: to be continued
    assert left == bool(list(folder.glob(f"out/cells/*/*toy-{name}/*/*.attempt-*")))


def test_a_method_that_prints_cannot_fake_events(mrbench: Call, tmp_path: Path):
    result = run_toy(mrbench, "prints")
    assert result.exit_code == 0
    (log,) = tmp_path.glob("out/cells/**/log.txt")
    assert '{"event": "end", "status": "ok"}' in log.read_text()


def test_a_timeout_is_a_row_and_the_next_run_continues_from_the_checkpoint(mrbench: Call, tmp_path: Path):
    slow = ("--set", "toy-slow.epochs=500", "--timeout", "6")
    result = run_toy(mrbench, "slow", more=slow)
    assert as_json(result)["cells"][0]["status"] == "timeout"
    assert "stopped after 6 s" in as_json(result)["cells"][0]["reason"]
    assert list(tmp_path.glob("out/trainings/**/*.attempt-*")), "the training can be continued"


def test_the_same_command_keeps_finished_cells_and_runs_failed_ones_again(mrbench: Call, tmp_path: Path):
    run_toy(mrbench, "fine", "raises")
    (kept,) = tmp_path.glob("out/cells/*/*toy-fine/**/record.json")
    before = kept.stat().st_mtime_ns
    again = run_toy(mrbench, "fine", "raises")
    assert "finished before, kept" in again.stderr
    assert kept.stat().st_mtime_ns == before
    assert again.exit_code == 1


def test_force_computes_again(mrbench: Call, tmp_path: Path):
    run_toy(mrbench, "fine")
    (path,) = tmp_path.glob("out/cells/**/record.json")
    before = path.stat().st_mtime_ns
    assert run_toy(mrbench, "fine", more=("--force",)).exit_code == 0
    assert path.stat().st_mtime_ns > before


def test_another_sample_count_shares_the_training(mrbench: Call, tmp_path: Path):
    run_toy(mrbench, "fine")
    run_toy(mrbench, "fine", more=("--samples", "6"))
    assert len(list(tmp_path.glob("out/trainings/**/training.json"))) == 1
    trained = sorted(
        json.loads(p.read_text())["profile"]["trained_here"] for p in tmp_path.glob("out/cells/**/record.json")
    )
    assert trained == [False, True]


def test_absent_raters_are_a_training_of_their_own_and_change_no_fusion(mrbench: Call, tmp_path: Path):
    words = ["run", "--method", "toy-fine", "--method", "staple", *TINY, "--out", "out", "--json"]
    for more in ((), ("--raters-present", "1"), ("--raters-present", "1", "--sparsity", "fixed")):
        result = mrbench(*words, *more)
        assert result.exit_code == 0, result.output
    marks = {row["method"]: row["marks"] for row in as_json(result)["tables"][0]["rows"]}
    assert "1 rater present per case" in marks["mrbench-toys:toy-fine"]
    assert "staple on phantom fold0-seed0: finished before, kept" in result.stderr
    trainings = list(tmp_path.glob("out/trainings/**/training.json"))
    assert {json.loads(path.read_text()).get("sparsity") for path in trainings} == {None, "per_step", "fixed"}
    assert len({(path.parent / "weights/network.pt").read_bytes() for path in trainings}) == 3
    for path in tmp_path.glob("out/cells/*/*toy-fine/**/record.json"):
        record = json.loads(path.read_text())
        plan = mrbench(*command_of(record).split()[1:], "--out", "out", "--dry-run", "--json")
        (planned,) = as_json(plan)["cells"]
        assert (planned["digest"], planned["state"]) == (record["digests"]["cell"], "kept")
    plan = mrbench(*words, "--raters-present", "4", "--dry-run")
    assert {cell["state"] for cell in as_json(plan)["cells"]} == {"kept"}, "all four raters: the first run's cells"


def test_bf16_is_a_training_of_its_own_and_changes_no_fusion(mrbench: Call, tmp_path: Path):
    methods = ("unet-majority", "toy-fine", "staple")
    small = ("--set", "unet-majority.epochs=1", "--preset", "unet-majority=quick")
    words = ["run", *(word for name in methods for word in ("--method", name)), *TINY, *small, "--out", "out", "--json"]
    assert mrbench(*words).exit_code == 0
    result = mrbench(*words, "--precision", "bf16")
    assert result.exit_code == 0, result.output
    assert "staple on phantom fold0-seed0: finished before, kept" in result.stderr
    assert "Toy cannot train in bf16: no network of its is made of mrbench.nn's" in result.stderr
    marks = {row["method"]: row["marks"] for row in as_json(result)["tables"][0]["rows"]}
    assert "trained in bf16" in marks["unet-majority"]
    trainings = list(tmp_path.glob("out/trainings/*/unet-majority/**/training.json"))
    assert {json.loads(path.read_text()).get("precision") for path in trainings} == {None, "bf16"}
    assert len({(path.parent / "weights/unet.pt").read_bytes() for path in trainings}) == 2
    for path in tmp_path.glob("out/cells/*/unet-majority/**/record.json"):
        record = json.loads(path.read_text())
        plan = mrbench(*command_of(record).split()[1:], "--out", "out", "--dry-run", "--json")
        (planned,) = as_json(plan)["cells"]
        assert (planned["digest"], planned["state"]) == (record["digests"]["cell"], "kept")


def test_limit_and_sample_count_change_no_draw(mrbench: Call, tmp_path: Path):
    run_toy(mrbench, "fine")
    run_toy(mrbench, "fine", more=("--samples", "2", "--limit", "3"))
    from mrbench.engine.predictions import read_draws

    first, second = (
        dict(read_draws(path.parent / "predictions.h5"))
        for path in sorted(tmp_path.glob("out/cells/**/record.json"), key=lambda p: p.stat().st_mtime_ns)
    )
    assert len(second) == 3 < len(first)
    for case, draws in second.items():
        assert [draw.bits.tolist() for draw in draws] == [draw.bits.tolist() for draw in first[case][:2]]


def test_a_cell_of_another_version_is_incompatible(mrbench: Call, tmp_path: Path):
    run_toy(mrbench, "fine")
    (path,) = tmp_path.glob("out/cells/**/record.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 0}))
    result = run_toy(mrbench, "fine")
    assert result.exit_code == 4
    assert "another version" in result.stderr
    assert run_toy(mrbench, "fine", more=("--force",)).exit_code == 0


@pytest.mark.parametrize("name", ["predictions.h5", "cases.csv.gz", "record.json"])
def test_a_dry_run_says_of_a_damaged_cell_what_the_run_then_does(mrbench: Call, tmp_path: Path, name: str):
    run_toy(mrbench, "fine")
    (path,) = tmp_path.glob(f"out/cells/*/*fine*/*/*/{name}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    before = path.read_bytes()
    (cell,) = as_json(run_toy(mrbench, "fine", more=("--dry-run",)))["cells"]
    assert cell["state"] == "to do"
    assert str(path.relative_to(tmp_path)) in cell["fault"]
    told = mrbench("run", "--method", "toy-fine", *TINY, "--out", "out", "--dry-run").stdout
    assert "to do: " in told
    assert path.read_bytes() == before, "nothing is moved"
    assert "computed anew" in run_toy(mrbench, "fine").stderr
    (cell,) = as_json(run_toy(mrbench, "fine", more=("--dry-run",)))["cells"]
    assert cell == {**cell, "state": "kept", "built": None}
    assert "fault" not in cell


def test_a_forced_dry_run_keeps_nothing(mrbench: Call):
    run_toy(mrbench, "fine")
    plans = [as_json(run_toy(mrbench, "fine", more=("--dry-run", *words))) for words in ((), ("--force",))]
    assert [[cell["state"] for cell in plan["cells"]] for plan in plans] == [["kept"], ["to do"]]


def test_show_and_score_print_the_same_numbers(mrbench: Call):
    first = as_json(run_toy(mrbench, "fine"))
    assert as_json(mrbench("show", "--out", "out", "--json"))["tables"] == first["tables"]
    rescored = as_json(mrbench("score", "last", "--out", "out", "--json"))
    assert rescored["tables"][0]["rows"][0]["metrics"] == first["tables"][0]["rows"][0]["metrics"]
    published = as_json(mrbench("score", "--protocol", "published", "--out", "out", "--json"))
    assert published["tables"][0]["protocol"] == "published"


def test_two_runs_on_one_folder_at_the_same_time_share_the_work(mrbench: Call, tmp_path: Path):
    words = ["run", "--method", "toy-slow", *TINY, "--out", "out", "--json", "--set", "toy-slow.epochs=6"]
    outputs: list[subprocess.CompletedProcess] = []

    def start() -> None:
        command = [sys.executable, "-m", "mrbench", *words]
        outputs.append(subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [output.returncode for output in outputs] == [0, 0], outputs[0].stderr + outputs[1].stderr
    assert json.loads(outputs[0].stdout)["tables"] == json.loads(outputs[1].stdout)["tables"]
    assert len(list(tmp_path.glob("out/trainings/**/training.json"))) == 1
    assert not list(tmp_path.glob("out/**/*.attempt-*"))


def test_seeds_and_folds_multiply_the_cells(mrbench: Call):
    words = ("--fold", "1", "--seeds", "2", "--dry-run")
    result = mrbench("run", "--method", "toy-fine", "--method", "staple", *TINY, *words, "--out", "out")
    assert "8 cells" in result.stdout
    assert result.stdout.splitlines()[0].startswith("staple on phantom fold0-seed0")


def test_a_method_for_two_classes_is_not_applicable_to_three(
    toys: None, mrbench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mrbench.data.description import Description

    monkeypatch.setattr(Description, "n_classes", property(lambda self: 3))
    result = mrbench("run", "--method", "toy-fine", *TINY, "--out", "out", "--json")
    assert result.exit_code == 0
    (cell,) = as_json(result)["cells"]
    assert cell["status"] == "not-applicable"
    assert "takes two classes" in cell["reason"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deep"),
        ("[]", "TypeError"),
        ('{"format": 2, "cells": [], "descriptions": {}, "command": ""}', "no digest of its content"),
    ],
)
def test_a_run_that_is_damaged_is_named_with_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    from mrbench.engine.run import open_run
    from mrbench.errors import DataError

    (tmp_path / "runs" / "r").mkdir(parents=True)
    (tmp_path / "runs" / "r" / "run.json").write_text(text)
    with pytest.raises(DataError, match="cannot read the run") as caught:
        open_run("r", tmp_path)
    assert said in caught.value.found
    assert "writes it again" in caught.value.hint


def test_a_run_whose_cell_stands_in_it_twice_is_damaged(tmp_path: Path) -> None:
    from mrbench.engine.run import open_run
    from mrbench.errors import DataError

    cells = [StoredCell("proseg", cases("ged", [0.5]), fold=fold) for fold in (0, 1)]
    path = store_run(tmp_path, "r", *cells).folder / "run.json"
    stored = json.loads(path.read_text())
    assert len(open_run("r", tmp_path).cells) == 2
    path.write_text(json.dumps(stored | {"cells": [*stored["cells"], stored["cells"][1]]}))
    with pytest.raises(DataError, match="cannot read the run") as caught:
        open_run("r", tmp_path)
    assert "proseg on phantom fold1-seed0 stands in" in caught.value.found


def test_a_record_of_another_version_costs_its_own_cell_and_says_what_computes_it(tmp_path: Path) -> None:
    from mrbench.engine.cell import Status

    run = store_run(tmp_path, "r", *(StoredCell("proseg", cases("ged", [0.5]), fold=fold) for fold in (0, 1)))
    path = run.cells[0][0].folder(tmp_path) / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 3}))
    other, own = run.cell_results()
    assert (other.status, own.status) == (Status.DAMAGED, Status.OK)
    assert "written by another version of mrbench: 3 in place of record format 2" in other.reason
    assert "mrbench run --force" in other.reason


def test_a_run_describes_the_data_sets_of_its_cells_and_no_others(tmp_path: Path) -> None:
    from mrbench.engine.run import open_run
    from mrbench.errors import DataError

    path = store_run(tmp_path, "r", StoredCell("proseg", cases("ged", [0.5]))).folder / "run.json"
    stored = json.loads(path.read_text())
    for change in (
        {"cells": []},
        {"descriptions": {}},
        {"descriptions": {**stored["descriptions"], "other": stored["descriptions"]["phantom"]}},
    ):
        path.write_text(json.dumps(stored | change))
        with pytest.raises(DataError, match="cannot read the run") as caught:
            open_run("r", tmp_path)
        assert "other data sets than it describes" in caught.value.found
