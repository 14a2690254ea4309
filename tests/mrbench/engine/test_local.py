"""The local executor: processes that misbehave are ended, and nothing of them is left running."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mrbench.engine.local import _killed, _stop
from mrbench.engine.threads import thread_environment


def test_stopping_a_process_ends_its_children_too(tmp_path: Path):
    code = (
        "import pathlib, subprocess, sys, time; child = subprocess.Popen(['sleep', '60']);"
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid)); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pid")], start_new_session=True)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.05)
    _stop(process)
    child = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    deadline = time.monotonic() + 5
    while child.exists() and " Z " not in child.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists() or " Z " in child.read_text()


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
