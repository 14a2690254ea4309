"""Signals end a run cleanly: one line, an exit code that names the signal, and no process left."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
import rude_runs

from mrbench.engine.store import process_start
from mrbench.engine.supervisor import PATIENCE

LINE = "mrbench: interrupted; the same command continues from here"


def hanging(folder: Path, act: str, prefix: tuple[str, ...] = ()) -> tuple[subprocess.Popen[str], int]:
    """A run whose one cell hangs, and the number of the cell's process."""
    process = subprocess.Popen(
        [*prefix, *rude_runs.command(folder, act)], cwd=folder, env=rude_runs.environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    pids = folder / "pids"
    until = time.monotonic() + 60
    while not pids.exists() or not pids.read_text():
        assert time.monotonic() < until, process.communicate()
        time.sleep(0.05)
    return process, int(pids.read_text())


def is_gone_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while process_start(pid) is not None and time.monotonic() < until:
        time.sleep(0.05)
    return process_start(pid) is None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_run_with_one_line_its_code_and_no_process(tmp_path: Path, number: int, code: int):
    process, worker = hanging(tmp_path, "hang")
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert errors.splitlines()[-1] == LINE
    assert errors.count(LINE) == 1
    assert "Traceback" not in errors
    assert process_start(worker) is None


def test_a_second_signal_of_the_system_does_not_disturb_the_clean_end(tmp_path: Path):
    process, worker = hanging(tmp_path, "stubborn")
    process.send_signal(signal.SIGTERM)
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert errors.count(LINE) == 1
    assert process_start(worker) is None


def test_ctrl_c_twice_ends_the_command_at_once_and_the_worker_soon(tmp_path: Path):
    process, worker = hanging(tmp_path, "stubborn")
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert is_gone_within(worker, PATIENCE + 5)


def test_a_run_that_ignores_hangups_goes_on(tmp_path: Path):
    process, worker = hanging(tmp_path, "hang", ("nohup",))
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 143
    assert process_start(worker) is None


def test_a_killed_driver_leaves_no_worker_though_that_ignores_sigterm(tmp_path: Path):
    process, worker = hanging(tmp_path, "stubborn")
    process.kill()
    process.communicate()
    assert is_gone_within(worker, PATIENCE + 5)
