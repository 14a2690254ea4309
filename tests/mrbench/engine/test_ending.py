"""A worker that is asked to end: the training's last step is kept, and the same command goes on from there."""

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rude_runs

from mrbench.engine.ending import Ending
from mrbench.engine.store import CHECKPOINT

SLOW = '''
"""A logistic regression whose steps take their time and are counted in a file."""

import time
import torch
from torch import nn
from torch.nn import functional

import mrbench
from mrbench import Method, TrainingOptions

MRBENCH_API = "2"


class Options(TrainingOptions):
    epochs: int = 2


class Slow(Method):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(1, 1, 1)

    def loss(self, batch):
        if torch.is_grad_enabled():
            with open("steps", "a") as file:
                file.write("x")
            time.sleep(0.1)
        logits = self.network(batch.image + 0.1 * torch.randn_like(batch.image))
        return {"ce": functional.binary_cross_entropy_with_logits(logits, batch.masks.float().mean(1, keepdim=True))}

    def features(self, x):
        return self.network(x)

    def consensus(self, features, noise):
        return features[None]


mrbench_methods = mrbench.hookimpl(lambda: [
    mrbench.MethodCard(name="slow", code=f"{__name__}:Slow", config=f"{__name__}:Options", summary="takes its time",
                       gives="consensus")
], specname="mrbench_methods")
'''


def command(out: str) -> list[str]:
    words = ["--plugin-file", "slow.py", "--method", "slow", "--set", "slow.batch_size=2", *rude_runs.PHANTOM]
    return [sys.executable, "-m", "mrbench", "run", *words, "--fold", "0", "--limit", "1", "--out", out, "--json"]


def steps(folder: Path) -> int:
    path = folder / "steps"
    return len(path.read_text()) if path.exists() else 0


def weights(folder: Path) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("trainings/**/weights/*"))]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_run_that_is_asked_to_end_loses_no_step_and_goes_on_bit_identically(tmp_path: Path, number: int, code: int):
    (tmp_path / "slow.py").write_text(SLOW)
    subprocess.run(command("whole"), cwd=tmp_path, env=rude_runs.environment(), capture_output=True, check=True)
    whole = steps(tmp_path)
    (tmp_path / "steps").unlink()
    process = subprocess.Popen(
        command("torn"), cwd=tmp_path, env=rude_runs.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while steps(tmp_path) < 5 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"interrupted; the same command continues from here" in said
    taken = steps(tmp_path)
    assert 5 <= taken < whole
    (checkpoint,) = (tmp_path / "torn").glob(f"trainings/**/*.attempt-*/{CHECKPOINT}/*.pt")
    assert checkpoint.name.startswith("stage000-epoch000000-")
    again = subprocess.run(command("torn"), cwd=tmp_path, env=rude_runs.environment(), capture_output=True, check=True)
    assert steps(tmp_path) == whole, "none is lost, none is taken twice"
    assert weights(tmp_path / "torn") == weights(tmp_path / "whole")
    assert json.loads(again.stdout)["cells"][0]["status"] == "ok"


def test_a_process_that_is_asked_to_end_ends_at_once_or_where_it_can():
    ending = Ending()
    with pytest.raises(SystemExit):
        ending._leave()
    ending = Ending()
    with pytest.raises(SystemExit), ending.at_safe_points() as stop:
        assert not stop()
        ending._leave()
        assert stop(), "and it goes on"
    with pytest.raises(SystemExit):
        ending._leave()
