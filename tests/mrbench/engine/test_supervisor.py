"""The supervisor: a command ends as it would alone, and nothing outlives whoever asked for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mrbench.engine.store import process_start
from mrbench.engine.supervisor import PATIENCE, descendants, supervised, supervisor


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = supervised([sys.executable, "-c", code, *map(str, arguments)])
    return subprocess.Popen(command, start_new_session=True)


def number_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    return process_start(pid) is None


STUBBORN = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()}\\n")
time.sleep(600)
"""
DAEMON = """
import os, pathlib, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()}\\n")
        time.sleep(600)
    os._exit(0)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.01)
"""


@pytest.mark.parametrize("code", [0, 3, 75, 255])
def test_it_ends_with_the_code_of_its_command(code: int):
    assert start(f"raise SystemExit({code})").wait() == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, 40])
def test_it_ends_by_the_signal_that_ended_its_command(number: int):
    assert start(f"import os; os.kill(os.getpid(), {int(number)})").wait() == -number


def test_a_command_that_cannot_be_run_has_the_code_of_a_shell():
    assert subprocess.run(supervised(["/no/such/program"]), stderr=subprocess.DEVNULL, check=False).returncode == 127


def test_a_request_to_end_reaches_the_command_first():
    process = start("import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print(flush=True); "
                    "time.sleep(600)")  # fmt: skip
    wait_until(lambda: bool(descendants(process.pid)))
    time.sleep(0.5)
    process.terminate()
    assert process.wait() == 7


def test_a_command_that_ignores_the_request_is_killed(tmp_path: Path):
    process = start(STUBBORN, tmp_path / "pid")
    number_in(tmp_path / "pid")
    begun = time.monotonic()
    process.terminate()
    assert process.wait() == -signal.SIGKILL
    assert PATIENCE <= time.monotonic() - begun < PATIENCE + 5


def test_a_command_that_ignores_the_request_ends_when_the_parent_is_killed(tmp_path: Path):
    driver = "import subprocess, sys, time; from mrbench.engine.supervisor import supervised; " \
             "subprocess.Popen(supervised([sys.executable, '-c', *sys.argv[1:]]), start_new_session=True); " \
             "time.sleep(600)"  # fmt: skip
    parent = subprocess.Popen([sys.executable, "-c", driver, STUBBORN, str(tmp_path / "pid")])
    pid = number_in(tmp_path / "pid")
    parent.kill()
    parent.wait()
    wait_until(lambda: is_gone(pid), PATIENCE + 5)


def test_a_parent_that_is_gone_before_the_start_ends_the_command():
    command = supervised([sys.executable, "-c", "import time; time.sleep(600)"])
    command[4] = str(2**22)  # no process has this number
    assert subprocess.run(command, check=False, timeout=20).returncode == -signal.SIGTERM


def test_what_a_command_leaves_running_ends_with_it_though_it_is_of_another_session(tmp_path: Path):
    process = start(DAEMON, tmp_path / "pid")
    pid = number_in(tmp_path / "pid")
    assert process.wait() == 0
    assert is_gone(pid)


def test_a_process_without_a_supervisor_says_so(monkeypatch: pytest.MonkeyPatch):
    assert supervisor() is None
    monkeypatch.setenv("MRBENCH_SUPERVISOR", "1")  # of a process further up
    assert supervisor() is None


def test_descendants_are_children_and_theirs():
    code = "import subprocess, sys; subprocess.run(['sleep', '600'])"
    process = subprocess.Popen([sys.executable, "-c", code])
    wait_until(lambda: len(descendants(process.pid)) == 1)
    assert process.pid in descendants(os.getpid())
    assert set(descendants(process.pid)) <= set(descendants(os.getpid()))
    (child,) = descendants(process.pid)
    process.kill()
    process.wait()
    os.kill(child, signal.SIGKILL)
