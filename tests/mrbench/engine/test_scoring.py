"""Scores from a process of their own: the same numbers, whatever the plugin's process has become."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rude_runs

from mrbench.engine import phases
from mrbench.engine.cell import CASES, PREDICTIONS
from mrbench.engine.scoring import SCORER, Scorer, ScoringRequest, score_elsewhere
from mrbench.errors import DataError, PluginError
from mrbench.registry import discover

METRIC = """
import os, sys
import numpy as np
from mrbench import Key, metric

MRBENCH_API = "2"

@metric("process", "the number of its process", direction="higher", range=(0, 1e9), needs="consensus")
def process(tables, protocol):
    print("a metric says something")
    assert not [name for name in sys.modules if name.startswith(("mrbench_", "torch"))]
    return {Key(1): np.array([float(os.getpid())])}
"""


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """A folder with predictions of a fusion."""
    rude_runs.run(tmp_path, "nothing")
    (found,) = tmp_path.glob(f"out/cells/**/{PREDICTIONS}")
    return found.parent


@pytest.fixture
def metric_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plugin file with a metric, not imported yet."""
    monkeypatch.delitem(sys.modules, "process", raising=False)
    path = tmp_path / "process.py"
    path.write_text(METRIC)
    return path


def request_of(folder: Path, log: str = "") -> ScoringRequest:
    return ScoringRequest("a cell", "identified", str(folder), log)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scorer], None]:
    """Hands a scoring process to this one as a driver does."""

    def hand(scorer: Scorer) -> None:
        monkeypatch.setenv(SCORER, str(os.dup(scorer.connection.fileno())))

    return hand


def test_a_patched_function_of_a_plugin_changes_no_number(tmp_path: Path):
    plain, _ = rude_runs.run(tmp_path, "nothing")
    patched, _ = rude_runs.run(tmp_path, "patch")
    assert plain["status"] == patched["status"] == "ok"
    assert plain["metrics"] == patched["metrics"]


PATCHING = '''
"""A logistic regression of noisy images that may leave NumPy broken once it has begun to predict."""

import os
import numpy as np
from torch import nn
from torch.nn import functional

import mrbench
from mrbench import Method, TrainingOptions

MRBENCH_API = "2"
BROKEN = "sum mean add bincount packbits unpackbits flatnonzero count_nonzero greater take".split()


class Options(TrainingOptions):
    epochs: int = 1


class Patching(Method):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.network = nn.Conv2d(1, 1, 1)

    def loss(self, batch):
        target = batch.masks.float().mean(1, keepdim=True)
        return {"ce": functional.binary_cross_entropy_with_logits(self.network(batch.image), target)}

    def features(self, x):
        if os.environ.get("PATCHES"):
            for name in BROKEN:
                setattr(np, name, lambda *a, name=name, **k: 1 / 0)
        return self.network(x)

    def sample(self, features, noise):
        return features + 3 * noise.normal("pixels", *features.shape[1:])


mrbench_methods = mrbench.hookimpl(lambda: [
    mrbench.MethodCard(name="patching", code=f"{__name__}:Patching", config=f"{__name__}:Options",
                       summary="breaks NumPy", gives="samples")
], specname="mrbench_methods")
'''


def test_a_method_that_breaks_numpy_changes_neither_tables_nor_scores(tmp_path: Path):
    (tmp_path / "patching.py").write_text(PATCHING)
    words = [
        "run",
        "--plugin-file",
        "patching.py",
        "--method",
        "patching",
        *rude_runs.PHANTOM,
        "--fold",
        "0",
        "--limit",
        "2",
    ]
    found = {}
    for patches in ("", "1"):
        done = subprocess.run(
            [sys.executable, "-m", "mrbench", *words, "--samples", "5", "--out", f"out{patches}", "--json"],
            cwd=tmp_path, env=rude_runs.environment() | {"PATCHES": patches}, capture_output=True, check=True,
        )  # fmt: skip
        (path,) = (tmp_path / f"out{patches}").glob(f"cells/**/{PREDICTIONS}")
        found[patches] = json.loads(done.stdout)["cells"][0]["metrics"], path.read_bytes()
    assert found[""] == found["1"]


def test_the_scores_are_those_of_this_process_bit_for_bit(predictions: Path, shared: Callable[[Scorer], None]):
    registry = discover()
    here = phases.score("a cell", registry, "identified", predictions)
    cases = (predictions / CASES).read_bytes()
    (predictions / CASES).unlink()
    metrics = registry.plugins["metric"]
    assert score_elsewhere(request_of(predictions), metrics).scores == here
    assert (predictions / CASES).read_bytes()[10:] == cases[10:], "after gzip's header"
    scorer = Scorer(metrics, ())
    for _ in range(3):  # one process, one cell after another
        shared(scorer)
        answer = score_elsewhere(request_of(predictions), [])
        assert answer.scores == here
        assert answer.cost["seconds"] > 0
        assert answer.cost["peak_memory_mib"] > 10
    scorer.close()


def test_the_scoring_process_imports_metrics_alone_and_prints_to_the_log(
    predictions: Path, tmp_path: Path, metric_file: Path
):
    registry = discover(files=[metric_file])
    (tmp_path / "log").write_text("before\n")
    answer = score_elsewhere(
        request_of(predictions, str(tmp_path / "log")), registry.plugins["metric"], registry.files_with("metric")
    )
    assert answer.scores["metric_faults"] == {}
    assert answer.scores["metrics"]["process.py:process"]["value"] != os.getpid()
    assert (tmp_path / "log").read_text().startswith("before\na metric says something\n")


def test_a_scoring_process_that_was_killed_is_replaced(predictions: Path, shared: Callable[[Scorer], None]):
    metrics = discover().plugins["metric"]
    scorer = Scorer(metrics, ())
    scorer.process.send_signal(signal.SIGKILL)
    scorer.process.wait()
    shared(scorer)
    assert score_elsewhere(request_of(predictions), metrics).scores["metrics"]
    scorer.close()


def test_what_goes_wrong_there_is_raised_here_with_its_traceback(tmp_path: Path):
    with pytest.raises(DataError, match="not a whole HDF5 file") as caught:
        (tmp_path / PREDICTIONS).write_bytes(b"no file of predictions")
        score_elsewhere(request_of(tmp_path), discover().plugins["metric"])
    assert "Traceback" in str(caught.value.__cause__)
    assert "guarded" in str(caught.value.__cause__) or "read_sizes" in str(caught.value.__cause__)


def test_a_metric_file_that_cannot_be_imported_is_an_error_and_no_silence(predictions: Path, metric_file: Path):
    metrics = discover(files=[metric_file]).plugins["metric"]
    metric_file.write_text("import nothing_of_that_name")
    with pytest.raises(PluginError, match="nothing_of_that_name"):
        score_elsewhere(request_of(predictions), metrics, [metric_file])


def test_a_closed_scorer_leaves_no_process():
    scorer = Scorer(discover().plugins["metric"], ())
    scorer.close()
    assert scorer.process.returncode is not None
    assert not scorer.runs
