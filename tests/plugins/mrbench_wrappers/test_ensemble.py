"""Ensembles of constants: what each answer must be is known from the members' weights and from their own runs."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result

import mrbench
from mrbench.engine.cell import CellSpec
from mrbench.engine.model import Model
from mrbench.engine.record import reproduce
from mrbench.engine.run import open_run
from mrbench.errors import UsageError
from mrbench.results.collection import Results

TOY = Path(__file__).parents[2] / "toys" / "constants.py"
TINY = {"phantom.subjects": 9, "phantom.size": 32}
MEMBER = "constants.py:constant"
Call = Callable[..., Result]


def run(out: Path, methods: tuple[str, ...], *, seeds: int = 1, jobs: int = 1, **settings: object) -> Results:
    return mrbench.run(
        methods, "phantom", preset="quick", settings={**TINY, **settings}, folds=[0], samples=5, limit=2, seeds=seeds,
        jobs=jobs, out=out, plugin_files=TOY,
    )  # fmt: skip


def level(training: Path) -> float:
    return float(torch.load(training / "weights" / "parameters.pt", weights_only=True)["level"])


def trainings(out: Path) -> list[Path]:
    return sorted(out.glob("trainings/*/*/*/fold?-seed?"))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ensemble of two seeds with three members each, then the member's plain runs of six seeds."""
    folder = tmp_path_factory.mktemp("ensemble") / "results"
    run(folder, ("ensemble",), seeds=2, **{"ensemble.of": MEMBER, "k": 3})
    run(folder, ("constant",), seeds=6)
    return folder


@pytest.fixture(scope="module")
def models(out: Path) -> Callable[..., Model]:
    results = mrbench.load_results(out, plugin_files=TOY)
    return lambda method, seed: mrbench.load_model(results.cell(method, seed=seed), plugin_files=TOY, device="cpu")


IMAGE = np.full((1, 32, 32), 100, np.uint8)


def test_seed_s_has_the_members_of_seeds_sk_to_sk_plus_k_minus_1(out: Path):
    by_seed = {f"fold0-seed{seed}" for seed in range(6)}
    assert {path.name for path in trainings(out)} == by_seed
    assert len({level(path) for path in trainings(out)}) == 6


@pytest.mark.parametrize("seed", [0, 1])
def test_answers_of_raters_and_the_consensus_are_the_mean_probabilities(out: Path, models, seed: int):
    levels = [level(path) for path in trainings(out)[3 * seed : 3 * seed + 3]]
    model = models("ensemble", seed)
    for rater in range(4):
        found = model.as_rater(IMAGE, rater, probabilities=True)
        assert np.allclose(found[1], np.mean(levels) + rater / 10, atol=1e-6)
        assert np.allclose(found.sum(axis=0), 1)
    consensus = model.sample(IMAGE, 5, probabilities=True)[5:]
    assert np.allclose(consensus[0, 1], np.mean(levels), atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_sample_i_is_sample_i_of_member_i_mod_k_in_a_run_of_its_own(models, seed: int):
    found = models("ensemble", seed).sample(IMAGE, 5, probabilities=True)[:5]
    members = [models(MEMBER, 3 * seed + m).sample(IMAGE, 5, probabilities=True) for m in range(3)]
    assert [np.array_equal(draw, members[i % 3][i]) for i, draw in enumerate(found)] == [True] * 5
    other = models("ensemble", seed).sample(IMAGE, 5, seed=7, probabilities=True)[:5]
    assert not any(np.array_equal(*pair) for pair in zip(found, other, strict=True))


def test_plain_runs_reuse_the_trainings_and_the_cost_is_their_sum(out: Path):
    results = mrbench.load_results(out, plugin_files=TOY)
    plain = [results.cell(MEMBER, seed=seed) for seed in range(6)]
    assert not any(cell.profile["trained_here"] for cell in plain)
    first = results.cell("ensemble", seed=0)
    assert first.profile["trained_here"]
    assert first.profile["parameters"] == 3
    assert first.profile["epochs"] == 3
    assert first.seconds("fit") == pytest.approx(sum(cell.seconds("fit") for cell in plain[:3]))


def test_an_ensemble_reuses_the_trainings_of_plain_runs(tmp_path: Path):
    run(tmp_path, ("constant",), seeds=2)
    before = {path: (path / "training.json").stat().st_mtime_ns for path in trainings(tmp_path)}
    results = run(tmp_path, ("ensemble",), **{"of": MEMBER, "ensemble.k": 3})
    after = {path: (path / "training.json").stat().st_mtime_ns for path in trainings(tmp_path)}
    assert len(before) == 2
    assert len(after) == 3
    assert before.items() <= after.items()
    assert results.cells[0].profile["trained_here"]


def test_two_jobs_train_no_member_twice(tmp_path: Path):
    results = run(tmp_path, ("ensemble", "constant", "tta"), seeds=2, jobs=2, **{"of": MEMBER, "k": 2})
    assert [cell.status for cell in results.cells] == ["ok"] * 6
    assert [path.name for path in trainings(tmp_path)] == [f"fold0-seed{seed}" for seed in range(4)]
    trained = sum(cell.profile["trained_here"] for cell in results.cells)
    assert trained <= 4
    assert not list(tmp_path.glob("trainings/**/*.attempt-*"))


def test_another_k_is_another_cell_and_the_same_trainings_under_the_preset_or_its_values(tmp_path: Path):
    two = run(tmp_path, ("ensemble",), **{"of": MEMBER, "k": 2}).cells[0].spec
    one = run(tmp_path, ("ensemble",), **{"of": MEMBER, "k": 1}).cells[0].spec
    same = mrbench.run(
        "ensemble", "phantom", settings={**TINY, "ensemble.of": MEMBER, "k": 2, f"{MEMBER}.epochs": 1}, folds=[0],
        samples=5, limit=2, out=tmp_path, plugin_files=TOY,
    ).cells[0].spec  # fmt: skip
    assert len({two.digest, one.digest}) == 2
    assert two.training_digest == one.training_digest
    assert same.digest == two.digest
    assert len(trainings(tmp_path)) == 2


def test_the_row_says_what_it_is_of_and_its_command_computes_the_same_cell(mrbench: Call, tmp_path: Path):
    words = ["--dataset", "phantom", "--fold", "0", "--samples", "2", "--limit", "1", "--plugin-file", str(TOY)]
    tiny = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
    own = ["--set", f"of={MEMBER}", "--set", "k=2", "--set", "constant.epochs=1"]
    shown = mrbench("run", "--method", "ensemble", *words, *tiny, *own)
    assert shown.exit_code == 0, shown.stderr
    for fact in (f"of = {MEMBER}: all rows", "k = 2: all rows", f"{MEMBER}.epochs = 1: all rows"):
        assert fact in shown.stdout
    record = json.loads(next(tmp_path.glob("results/cells/*/ensemble/*/*/record.json")).read_text())
    again = shlex.split(reproduce(CellSpec.from_json(record["spec"])))[1:]
    at = again.index("--plugin-file")
    again[at + 1] = str(TOY)
    planned = mrbench(*again, "--dry-run", "--json")
    assert json.loads(planned.stdout)["cells"][0]["state"] == "kept"


def test_an_ensemble_of_raters_gives_raters_alone(tmp_path: Path):
    spec = run(tmp_path, ("ensemble",), **{"of": "constant-raters", "k": 2}).cells[0].spec
    assert "personal" in spec.capabilities
    assert "diverse" not in spec.capabilities


@pytest.mark.slow
def test_each_training_continues_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MRBENCH_CHECKPOINT_SECONDS", "0")
    words = ["--method", "ensemble", "--set", "ensemble.k=2", "--set", "unet-majority.epochs=6", "--fold", "0"]
    words += ["--dataset", "phantom", "--preset", "quick", "--samples", "2", "--limit", "1"]
    words += [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]

    def command(out: str) -> list[str]:
        return [sys.executable, "-m", "mrbench", "run", *words, "--out", out]

    torn = subprocess.Popen(command("torn"), cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob("torn/trainings/*/*/*/fold0-seed1.attempt-*/checkpoint/*")):
        assert torn.poll() is None, "it ended before its second member had a checkpoint"
        time.sleep(0.02)
    os.kill(torn.pid, signal.SIGKILL)
    torn.wait()
    first = next(tmp_path.glob("torn/trainings/*/*/*/fold0-seed0/training.json")).stat().st_mtime_ns
    for out in ("torn", "whole"):
        subprocess.run(command(out), cwd=tmp_path, check=True, capture_output=True)
    assert next(tmp_path.glob("torn/trainings/*/*/*/fold0-seed0/training.json")).stat().st_mtime_ns == first
    for path in sorted(tmp_path.glob("whole/trainings/*/*/*/fold0-seed?/weights/*.pt")):
        other = tmp_path / "torn" / path.relative_to(tmp_path / "whole")
        assert other.read_bytes() == path.read_bytes()
    second = json.loads(next(tmp_path.glob("torn/trainings/*/*/*/fold0-seed1/training.json")).read_text())
    assert second["facts"]["resumed"]
    run_of = open_run("last", tmp_path / "torn")
    assert run_of.cell_results()[0].profile["resumed"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ensemble.of": "staple"}, "'ensemble' cannot be made of 'staple'.*fusion"),
        ({"ensemble.of": "ensemble"}, "'ensemble' cannot be made of 'ensemble'.*wrapper itself"),
        ({"ensemble.of": "tta"}, "'ensemble' cannot be made of 'tta'.*wrapper itself"),
        ({"ensemble.of": "unet-majorty"}, "unknown method 'unet-majorty'.*'unet-majority'"),
        ({"ensemble.of_preset": "quik"}, "unknown preset 'quik' of method 'unet-majority'"),
        ({"ensemble.k": 0}, "option 'k' of ensemble.*greater than or equal to 1"),
        ({"unet-majority.epoch": 3}, "unknown option 'epoch' of unet-majority"),
    ],
)
def test_what_cannot_be_wrapped_is_told_before_the_first_cell(tmp_path: Path, settings: dict, said: str):
    with pytest.raises(UsageError, match=f"(?s){said}"):
        mrbench.run("ensemble", "phantom", settings={**TINY, **settings}, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_checks_are_of_what_is_trained(mrbench: Call):
    result = mrbench("check", "ensemble")
    assert result.exit_code == 2
    assert "'ensemble' trains nothing of its own" in result.stderr
