"""What a plugin leaves running: ended, named in a warning of the cell, and no harm to its numbers."""

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import rude_runs

from mrbench.engine.leftovers import end_leftovers
from mrbench.engine.supervisor import supervised

NAMES = {"fork": r"left a child process \d+ \(a fork of the cell's own\) behind; it was ended",
         "orphan": r"left a child process \d+ \(a fork of the cell's own\) behind; it was ended",
         "thread": r"left a thread 'mill' running; it ended with the cell"}  # fmt: skip


def leftovers(code: str) -> list[str]:
    """What a supervised process that ran some code says of its leftovers."""
    after = (
        "\nimport json, os\nfrom mrbench.engine.leftovers import end_leftovers\nprint(json.dumps(end_leftovers()))\n"
    )
    end = "import sys; sys.stdout.flush(); os._exit(0)"
    command = supervised([sys.executable, "-c", code + after + end])
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, start_new_session=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("act", NAMES)
def test_the_numbers_stay_and_a_warning_names_what_was_left(tmp_path: Path, act: str):
    plain, _ = rude_runs.run(tmp_path, "nothing")
    rude, done = rude_runs.run(tmp_path, act, seconds=60)
    assert rude["status"] == "ok"
    assert rude["metrics"] == plain["metrics"]
    assert done.returncode == 0
    record = json.loads((tmp_path / rude["folder"] / "record.json").read_text())
    (warning,) = record["warnings"]
    assert re.fullmatch(NAMES[act], warning)
    assert warning in done.stderr
    assert warning in (tmp_path / rude["folder"] / "log.txt").read_text()


def test_a_child_process_is_named_by_its_command():
    (line,) = leftovers("import subprocess; child = subprocess.Popen(['sleep', '600'])")
    assert line.startswith("left a child process ")
    assert line.endswith(" (sleep 600) behind; it was ended")


def test_of_many_some_are_named():
    lines = leftovers("import subprocess; kept = [subprocess.Popen(['sleep', '600']) for _ in range(12)]")
    assert len(lines) == 6
    assert lines[-1] == "left 7 more child processes behind"


def test_processes_of_python_itself_and_daemon_threads_are_no_leftovers():
    tracker = "from multiprocessing import resource_tracker; resource_tracker.ensure_running()"
    daemon = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert leftovers(f"{tracker}\n{daemon}") == []


def test_without_a_supervisor_no_process_is_ended():
    child = subprocess.Popen(["sleep", "600"])
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="mine")
    thread.start()
    try:
        assert end_leftovers() == ["left a thread 'mine' running; it ended with the cell"]
        assert child.poll() is None
    finally:
        stop.set()
        child.kill()
        child.wait()
