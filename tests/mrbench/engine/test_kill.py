"""kill -9 of any process at random moments: no finished cell is lost, and what is resumed is bit-identical."""

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mrbench.engine.supervisor import descendants, kill

KILLS = 30
METHODS = ("proseg", "unet-majority", "random-rater")
SETTINGS = ("epochs=4", "phantom.subjects=9", "phantom.size=32")


def command(out: str) -> list[str]:
    methods = [word for name in METHODS for word in ("--method", name)]
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    more = ["--dataset", "phantom", "--preset", "quick", "--samples", "3", "--seeds", "2", "--json", "--out", out]
    return [sys.executable, "-m", "mrbench", "run", *methods, *settings, *more]


def finished(folder: Path) -> dict[str, tuple[int, str]]:
    """Every finished cell's record with its time and its digest."""
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.glob("cells/*/*/*/fold?-seed?/record.json")
    }


def weights(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.glob("trainings/*/*/*/fold?-seed?/weights/*.pt")
    }


@pytest.mark.slow
def test_killing_at_random_moments_loses_nothing_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MRBENCH_CHECKPOINT_SECONDS", "0")
    reference = subprocess.run(command("whole"), cwd=tmp_path, capture_output=True, text=True, check=True)
    rng = random.Random(0)
    kills = 0
    while True:
        before = finished(tmp_path / "torn")
        process = subprocess.Popen(
            command("torn"), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        time.sleep(rng.uniform(0.5, 9.0))
        if kills < KILLS and process.poll() is None:
            kill([rng.choice([process.pid, *descendants(process.pid)])])  # driver, supervisor, worker, scoring process
            kills += 1
        output, _ = process.communicate()
        after = finished(tmp_path / "torn")
        assert before.items() <= after.items(), "a finished cell was lost or computed again"
        if process.returncode == 0 and kills >= KILLS:
            break
        if process.returncode == 0:  # all is done: take one cell away, so that there is something to kill
            discard_one(tmp_path / "torn", rng)
    assert weights(tmp_path / "torn") == weights(tmp_path / "whole")
    assert tables(output) == tables(reference.stdout)
    assert not list((tmp_path / "torn").glob("cells/**/*.attempt-*"))


def discard_one(folder: Path, rng: random.Random) -> None:
    import shutil

    records = sorted(folder.glob("cells/*/*/*/fold?-seed?/record.json"))
    spec = json.loads((chosen := rng.choice(records)).read_text())["spec"]
    shutil.rmtree(chosen.parent)
    if spec["kind"] == "method":
        for training in folder.glob(f"trainings/*/{spec['family']}/*/fold{spec['fold']}-seed{spec['seed']}"):
            shutil.rmtree(training)


def tables(text: str) -> list[list[tuple[str, dict]]]:
    return [[(row["method"], row["metrics"]) for row in table["rows"]] for table in json.loads(text)["tables"]]
