"""Attempts: one owner at a time, taken over when the owner is gone, in place whole or not at all."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mrbench.engine.store import LEASE_SECONDS, BusyError, attempt, attempts, discard, is_busy, process_start
from mrbench.engine.writing_faults import WritingError


def abandoned(final: Path, **lease: object) -> Path:
    folder = final.with_name(f"{final.name}.attempt-0123")
    folder.mkdir(parents=True)
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "checkpoint.pt").write_text("half done")
    (folder / "predictions.h5").write_text("half written")
    (folder / "lease.json").write_text(json.dumps(lease))
    return folder


def this_host() -> str:
    from mrbench.engine.store import _host

    return _host()


def test_a_completed_attempt_is_in_place_and_leaves_nothing_else(tmp_path: Path):
    final = tmp_path / "cells" / "fold0"
    with attempt(final, "record.json") as work:
        assert not work.adopted
        (work.folder / "record.json").write_text("{}")
        assert is_busy(final)
        work.complete()
    assert [path.name for path in final.parent.iterdir()] == ["fold0"]
    assert [path.name for path in final.iterdir()] == ["record.json"]


def test_a_live_attempt_is_left_alone(tmp_path: Path):
    final = tmp_path / "fold0"
    with (
        attempt(final, "record.json"),
        pytest.raises(BusyError, match="another process"),
        attempt(final, "record.json"),
    ):
        pass


def test_the_attempt_of_a_dead_process_is_taken_over_with_its_checkpoint(tmp_path: Path):
    final = tmp_path / "fold0"
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    abandoned(final, host=this_host(), process=int(process.stdout), started="1", expiry=time.time() + 1000)
    with attempt(final, "record.json") as work:
        assert work.adopted
        assert (work.folder / "checkpoint" / "checkpoint.pt").read_text() == "half done"
        assert not (work.folder / "predictions.h5").exists(), "its owner may only be asleep"
    assert not is_busy(tmp_path / "other")


def test_a_reused_process_number_is_no_mistake(tmp_path: Path):
    final = tmp_path / "fold0"
    abandoned(final, host=this_host(), process=os.getpid(), started="another start", expiry=time.time() + 1000)
    with attempt(final, "record.json") as work:
        assert work.adopted


def test_another_machines_attempt_is_taken_over_only_after_its_lease(tmp_path: Path):
    final = tmp_path / "fold0"
    folder = abandoned(final, host="elsewhere", process=1, started="1", expiry=time.time() + LEASE_SECONDS)
    with pytest.raises(BusyError, match="elsewhere"), attempt(final, "record.json"):
        pass
    (folder / "lease.json").write_text(json.dumps({"host": "elsewhere", "process": 1, "expiry": time.time() - 1}))
    with attempt(final, "record.json") as work:
        assert work.adopted


def test_an_unreadable_lease_does_not_block_for_ever(tmp_path: Path):
    final = tmp_path / "fold0"
    folder = abandoned(final)
    (folder / "lease.json").write_text("{ not json")
    with attempt(final, "record.json") as work:
        assert work.adopted


def test_who_comes_second_finds_the_first_result_in_place(tmp_path: Path):
    final = tmp_path / "fold0"
    with attempt(final, "record.json") as work:
        final.mkdir()
        (final / "record.json").write_text("first")
        (work.folder / "record.json").write_text("second")
        work.complete()
    assert (final / "record.json").read_text() == "first"
    assert attempts(final) == []


def test_half_a_finished_folder_is_no_result(tmp_path: Path):
    final = tmp_path / "fold0"
    final.mkdir()
    (final / "predictions.h5").write_text("what an interrupted removal left")
    with attempt(final, "record.json") as work:
        assert not work.finished
        (work.folder / "record.json").write_text("whole")
        work.complete()
    assert [path.name for path in final.iterdir()] == ["record.json"]


def test_who_claims_after_the_other_finished_is_told(tmp_path: Path):
    final = tmp_path / "fold0"
    final.mkdir()
    (final / "record.json").write_text("{}")
    with attempt(final, "record.json") as work:
        assert work.finished
        work.discard()


def test_discarding_takes_the_name_first(tmp_path: Path):
    final = tmp_path / "fold0"
    final.mkdir()
    (final / "record.json").write_text("{}")
    discard(final)
    discard(final)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["[]", "3", '{"host": 3}', "{ not json", ""])
def test_a_lease_that_makes_no_sense_blocks_nobody(tmp_path: Path, text: str):
    (abandoned(tmp_path / "fold0") / "lease.json").write_text(text)
    assert not is_busy(tmp_path / "fold0")


def test_completion_clears_what_dead_processes_left(tmp_path: Path):
    final = tmp_path / "fold0"
    abandoned(final, host=this_host(), process=1 << 30, started="1")
    with attempt(final, "record.json") as work:
        work.folder.parent.joinpath("fold0.attempt-dead").mkdir()
        (tmp_path / "fold0.attempt-dead" / "lease.json").write_text("{}")
        work.complete()
    assert [path.name for path in tmp_path.iterdir()] == ["fold0"]


def test_a_fault_of_the_methods_own_removes_the_attempt_and_an_interruption_leaves_it(tmp_path: Path):
    final = tmp_path / "fold0"
    with pytest.raises(ValueError, match="fault"), attempt(final, "record.json"):
        raise ValueError("fault")
    assert attempts(final) == []
    with pytest.raises(KeyboardInterrupt), attempt(final, "record.json"):
        raise KeyboardInterrupt
    assert len(attempts(final)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        OSError(28, "No space left on device"),
        OSError(30, "Read-only file system"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 640 vs 598"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
    ],
)
def test_a_fault_of_the_machine_leaves_the_checkpoint_and_no_half_file(tmp_path: Path, fault: Exception):
    with pytest.raises((type(fault), WritingError)), attempt(tmp_path / "fold0", "record.json") as work:
        (work.folder / "checkpoint").mkdir()
        (work.folder / "checkpoint" / "a.pt").write_text("whole")
        (work.folder / "predictions.h5").write_text("half")
        raise fault
    (left,) = attempts(tmp_path / "fold0")
    assert (left / "checkpoint" / "a.pt").read_text() == "whole"
    assert not (left / "predictions.h5").exists()


def test_a_full_disk_is_told_of_with_the_place_of_the_cell(tmp_path: Path):
    with pytest.raises(WritingError) as caught, attempt(tmp_path / "fold0", "record.json") as work:
        raise OSError(28, "No space left on device", str(work.folder / "predictions.h5"))
    assert caught.value.what == f"cannot write in {tmp_path}: No space left on device"
    assert caught.value.found.endswith(" free")


def test_where_not_even_a_lease_can_be_written_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(path: Path, content: object) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("mrbench.engine.store.write_json", full)
    with pytest.raises(WritingError), attempt(tmp_path / "fold0", "record.json"):
        pass
    assert not is_busy(tmp_path / "fold0")
    assert list(tmp_path.iterdir()) == []


def test_process_start_tells_the_living_from_the_gone():
    assert process_start(os.getpid())
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert process_start(process.pid) is None
