"""Attempts: one owner at a time, taken over when the owner is gone, in place whole or not at all."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mrbench.engine.store import (
    LEASE_SECONDS,
    BusyError,
    attempt,
    attempts,
    is_busy,
    process_start,
    replaced,
    write_json,
)


def abandoned(final: Path, **lease: object) -> Path:
    folder = final.with_name(f"{final.name}.attempt-0123")
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_text("half done")
    (folder / "lease.json").write_text(json.dumps(lease))
    return folder


def this_host() -> str:
    import socket

    return socket.gethostname()


def test_a_completed_attempt_is_in_place_and_leaves_nothing_else(tmp_path: Path):
    final = tmp_path / "cells" / "fold0"
    with attempt(final) as work:
        assert not work.adopted
        (work.folder / "record.json").write_text("{}")
        assert is_busy(final)
        work.complete()
    assert [path.name for path in final.parent.iterdir()] == ["fold0"]
    assert [path.name for path in final.iterdir()] == ["record.json"]


def test_a_live_attempt_is_left_alone(tmp_path: Path):
    final = tmp_path / "fold0"
    with attempt(final), pytest.raises(BusyError, match="another process"), attempt(final):
        pass


def test_the_attempt_of_a_dead_process_is_taken_over_with_its_checkpoint(tmp_path: Path):
    final = tmp_path / "fold0"
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    abandoned(final, host=this_host(), process=int(process.stdout), started="1", expiry=time.time() + 1000)
    with attempt(final) as work:
        assert work.adopted
        assert (work.folder / "checkpoint.pt").read_text() == "half done"
    assert not is_busy(tmp_path / "other")


def test_a_reused_process_number_is_no_mistake(tmp_path: Path):
    final = tmp_path / "fold0"
    abandoned(final, host=this_host(), process=os.getpid(), started="another start", expiry=time.time() + 1000)
    with attempt(final) as work:
        assert work.adopted


def test_another_machines_attempt_is_taken_over_only_after_its_lease(tmp_path: Path):
    final = tmp_path / "fold0"
    folder = abandoned(final, host="elsewhere", process=1, started="1", expiry=time.time() + LEASE_SECONDS)
    with pytest.raises(BusyError, match="elsewhere"), attempt(final):
        pass
    (folder / "lease.json").write_text(json.dumps({"host": "elsewhere", "process": 1, "expiry": time.time() - 1}))
    with attempt(final) as work:
        assert work.adopted


def test_an_unreadable_lease_does_not_block_for_ever(tmp_path: Path):
    final = tmp_path / "fold0"
    folder = abandoned(final)
    (folder / "lease.json").write_text("{ not json")
    with attempt(final) as work:
        assert work.adopted


def test_who_comes_second_finds_the_first_result_in_place(tmp_path: Path):
    final = tmp_path / "fold0"
    with attempt(final) as work:
        final.mkdir()
        (final / "record.json").write_text("first")
        (work.folder / "record.json").write_text("second")
        work.complete()
    assert (final / "record.json").read_text() == "first"
    assert attempts(final) == []


def test_completion_clears_what_dead_processes_left(tmp_path: Path):
    final = tmp_path / "fold0"
    abandoned(final, host=this_host(), process=1 << 30, started="1")
    with attempt(final) as work:
        work.folder.parent.joinpath("fold0.attempt-dead").mkdir()
        (tmp_path / "fold0.attempt-dead" / "lease.json").write_text("{}")
        work.complete()
    assert [path.name for path in tmp_path.iterdir()] == ["fold0"]


def test_a_fault_removes_the_attempt_and_an_interruption_leaves_it(tmp_path: Path):
    final = tmp_path / "fold0"
    with pytest.raises(ValueError, match="fault"), attempt(final):
        raise ValueError("fault")
    assert attempts(final) == []
    with pytest.raises(KeyboardInterrupt), attempt(final):
        raise KeyboardInterrupt
    assert len(attempts(final)) == 1


def test_a_full_disk_leaves_the_checkpoint(tmp_path: Path):
    with pytest.raises(OSError, match="No space"), attempt(tmp_path / "fold0"):
        raise OSError(28, "No space left on device")
    assert len(attempts(tmp_path / "fold0")) == 1


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), replaced(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    assert [p.name for p in tmp_path.iterdir()] == ["file.json"]


def test_process_start_tells_the_living_from_the_gone():
    assert process_start(os.getpid())
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert process_start(process.pid) is None
