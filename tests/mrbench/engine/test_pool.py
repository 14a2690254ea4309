"""Scoring processes: in order, light, and gone with whatever ended them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mrbench.engine.pool import map_in_processes
from mrbench.engine.store import process_start
from mrbench.engine.supervisor import descendants
from mrbench.errors import DataError, MrbenchError, UsageError


def work(task: int | str) -> object:
    """What a process is asked to do in these tests."""
    if task == "data error":
        raise DataError("x.h5 is damaged", expected="a file", hint="run again")
    if task == "bug":
        raise ZeroDivisionError("by zero")
    if task == "die":
        os._exit(9)
    if task == "modules":
        return sorted(set(sys.modules) & {"torch", "pandas", "matplotlib", "PIL", "mrbench.cli"})
    if task == "signals":
        return signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    time.sleep(0.02 * (int(task) % 3))
    return int(task) ** 2


def test_results_come_in_the_order_of_the_tasks():
    assert list(map_in_processes(work, range(12), 2, ())) == [n**2 for n in range(12)]


def test_processes_load_nothing_heavy_and_leave_the_interruption_to_the_command():
    assert list(map_in_processes(work, ["modules", "signals"], 1, ())) == [[], True]


def test_an_error_of_a_process_is_raised_as_it_was():
    with pytest.raises(DataError) as caught:
        list(map_in_processes(work, [1, "data error", 2], 2, ()))
    assert caught.value.message == "x.h5 is damaged\n  expected: a file\n  next:     run again"
    with pytest.raises(ZeroDivisionError, match="by zero"):
        list(map_in_processes(work, ["bug"], 2, ()))


def test_a_process_that_dies_is_a_clear_error():
    with pytest.raises(MrbenchError, match=r"ended without an answer\n.*\n  next:     score again with --jobs 1"):
        list(map_in_processes(work, [1, "die", 2, 3], 2, ()))


def test_a_plugin_file_that_is_not_there_is_told():
    with pytest.raises(UsageError, match=r"cannot read the plugin file .*gone\.py"):
        list(map_in_processes(work, [1], 1, [Path("gone.py")]))


def test_a_caller_that_stops_early_leaves_no_process():
    with closing(map_in_processes(work, range(1000), 2, ())) as results:
        assert next(results) == 0


SCRIPT = """
import time
from mrbench.engine.pool import map_in_processes
from mrbench.engine.store import process_start
from mrbench.engine.supervisor import descendants

if __name__ == "__main__":
    print("start", flush=True)
    list(map_in_processes(time.sleep, [{seconds}] * 4, 2, ()))
    time.sleep(60)
"""


def started(folder: Path, seconds: float) -> subprocess.Popen[str]:
    """A script whose processes sleep, one moment after its start."""
    (folder / "script.py").write_text(SCRIPT.format(seconds=seconds))
    process = subprocess.Popen(
        [sys.executable, str(folder / "script.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "start\n"
    time.sleep(3)
    return process


def test_an_interruption_ends_at_once(tmp_path: Path):
    process = started(tmp_path, 60)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert errors.count("KeyboardInterrupt") == 1, errors
    assert process.returncode == -signal.SIGINT


def test_a_command_that_is_killed_leaves_no_process(tmp_path: Path):
    process = started(tmp_path, 60)
    until = time.monotonic() + 60
    while len(below := descendants(process.pid)) < 4 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(below) == 4, "a tracker of resources, a server of forks and two processes"
    process.kill()
    process.communicate(timeout=20)  # whoever is left holds its streams
    until = time.monotonic() + 20
    while any(process_start(pid) for pid in below) and time.monotonic() < until:
        time.sleep(0.1)
    assert [pid for pid in below if process_start(pid)] == []
