"""The local executor: processes that misbehave are ended, and nothing of them is left running."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rude_runs

from mrbench.engine import local
from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.local import RESTARTS, LocalExecutor, _killed
from mrbench.engine.store import attempt, discard, process_start
from mrbench.engine.threads import thread_environment
from mrbench.engine.worker import Order

SPEC = CellSpec(
    method="staple", dataset="phantom", kind="fusion", family="staple", gives="consensus", method_version="1",
    capabilities=("consensus",), options={}, training={}, prediction={}, preset="default", changed={},
    dataset_options={}, dataset_changed={}, data_digest="d", split="strict", split_digest="s", fold=0, seed=0,
    samples=4,
)  # fmt: skip


def cpu_seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


SAYS_BUSY = """print('{"event": "busy", "owner": "process 12 on far"}')"""


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (11, "SIGSEGV"), (40, "signal 40")])
def test_a_signal_is_named(number: int, name: str):
    _, reason = _killed(number, oom_kills_before=10**9)
    assert name in reason


def test_threads_are_set_before_a_library_is_imported():
    code = "import torch; print(torch.get_num_threads())"
    output = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | thread_environment(1), capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == "1"


def test_a_worker_that_exits_with_the_code_of_a_busy_cell_fails_once(tmp_path: Path):
    cell, done = rude_runs.run(tmp_path, "exit_75")
    assert cell["status"] == "failed"
    assert "ended with code 75" in cell["reason"]
    assert done.stderr.count("predict\n") == 1


def test_a_worker_that_finds_another_at_its_cell_again_and_again_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "BUSY_SECONDS", 0.0)
    monkeypatch.setattr(local, "supervised", lambda command: [sys.executable, "-c", SAYS_BUSY])
    seen: list[dict[str, Any]] = []
    order = Order(SPEC, tmp_path / "results", tmp_path)
    executor = LocalExecutor(tmp_path)
    ((_, outcome),) = executor.run([order], lambda spec, event: seen.append(event))
    assert outcome.status is Status.FAILED
    assert outcome.reason == f"process 12 on far was at its cell at {RESTARTS} starts in turn"
    assert seen == [{"event": "waiting", "owner": "process 12 on far"}], "it is told of once"


def test_another_process_at_the_cell_is_named_once_and_waited_for_as_long_as_a_cell_may_take(tmp_path: Path):
    cell, _ = rude_runs.run(tmp_path, "nothing")
    folder = tmp_path / cell["folder"]
    discard(folder)
    with attempt(folder, marker="record.json"):
        cell, done = rude_runs.run(tmp_path, "nothing", "--timeout", "5")
        forced = subprocess.run(
            [*rude_runs.command(tmp_path, "nothing"), "--force"], cwd=tmp_path, env=rude_runs.environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    owner = f"process {os.getpid()} on {socket.gethostname()}"
    assert cell["status"] == "timeout"
    assert cell["reason"].startswith(f"waited 5 s for {owner}")
    assert done.stderr.count(f"waiting: {owner} is computing it") == 1
    assert forced.returncode == 1
    assert f"{owner} is computing" in forced.stderr


def test_without_a_time_limit_another_process_is_waited_for_a_bounded_time_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(local, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(local, "supervised", lambda command: pytest.fail("no process is started for it"))
    with attempt(SPEC.folder(tmp_path / "results"), marker="record.json"):
        orders = [Order(SPEC, tmp_path / "results", tmp_path)]
        ((_, outcome),) = LocalExecutor(tmp_path).run(orders, lambda spec, event: None)
    assert outcome.status is Status.TIMEOUT
    owner = f"process {os.getpid()} on {socket.gethostname()}"
    assert outcome.reason == (
        f"waited 0.5 s for {owner}, which is computing it; run the command again when that has ended"
    )


def test_a_cell_that_ignores_its_time_limit_is_killed_and_told_of(tmp_path: Path):
    cell, _ = rude_runs.run(tmp_path, "stubborn", "--timeout", "3")
    assert cell["status"] == "timeout"
    assert cell["reason"].startswith("stopped after 3 s")
    assert process_start(int((tmp_path / "pids").read_text())) is None


@pytest.mark.parametrize("act", ["message", "ours", "unsaid"])
def test_a_message_of_12_mb_is_a_row_like_any_other(tmp_path: Path, act: str):
    seconds, lengths = [], []
    for size in (8, 12_000_000):
        begun = cpu_seconds_of_children()
        cell, done = rude_runs.run(tmp_path, act, "--set", f"rude.size={size}")
        seconds.append(cpu_seconds_of_children() - begun)
        lengths.append(len(done.stdout) + len(done.stderr))
        assert cell["status"] == "failed"
    assert seconds[1] - seconds[0] < 2
    assert lengths[1] < 20_000
    records = sum(path.stat().st_size for path in tmp_path.glob("out/cells/**/*") if path.is_file())
    assert records < 200_000


def test_a_check_of_options_that_says_12_mb_is_told_of_in_a_few_lines(tmp_path: Path):
    begun = cpu_seconds_of_children()
    done = subprocess.run(
        [*rude_runs.command(tmp_path, "build"), "--set", "rude.size=12000000"], cwd=tmp_path,
        env=rude_runs.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "its options cannot be checked: ValueError: m (rude.py:" in done.stderr
    assert len(done.stderr) < 20_000
    assert cpu_seconds_of_children() - begun < 10


def test_an_event_that_is_too_long_is_refused_and_the_cell_goes_on(tmp_path: Path):
    cell, done = rude_runs.run(tmp_path, "event")
    assert cell["status"] == "ok"
    assert "an event of 3,000,000 bytes was refused" in done.stderr
