"""A disk that fills up at any moment of a cell's life: one line says so, nothing that was done is lost or changed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import full_disk
import pytest
from full_disk import EPOCHS, MOMENTS, SIZES

DISK_BYTES = 4 * 2**20
AFTER_A_CHECKPOINT = MOMENTS[2:]
AFTER_THE_TRAINING = MOMENTS[5:]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("needs to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def lives(disk: Path, *sizes: int) -> list[dict[str, Any]]:
    """How each life went; the first had all the room."""
    words = [sys.executable, full_disk.__file__, str(disk), *map(str, sizes)]
    output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk_in_any_phase_is_told_of_and_costs_nothing_that_was_done(disk: Path, size: int):
    whole, *tries = lives(disk, size)
    assert [one["moment"] for one in tries] == list(MOMENTS)
    for one in tries:
        check(one, whole)
    if size == 0:
        assert {one["first"]["status"] for one in tries} == {"failed"}, "there is no room for anything"


def check(one: dict[str, Any], whole: dict[str, Any]) -> None:
    """Told of in a line that names the folder and its room; then computed to the same numbers, from where it was."""
    first, second, moment = one["first"], one["second"], one["moment"]
    if first["status"] != "ok":
        assert first["status"] == "failed", first
        assert "cannot write in " in first["reason"]
        assert "No space left on device" in first["reason"]
        assert " free" in first["reason"]
    assert second["status"] == "ok", second
    assert one["found"] == whole["found"], "bit for bit"
    assert one["remains"] == []
    if moment in AFTER_A_CHECKPOINT:
        assert len(second["epochs"]) < EPOCHS, "it continued"
    if moment in AFTER_THE_TRAINING:
        assert second["epochs"] == []


def test_a_full_disk_fails_one_cell_with_a_line_and_the_same_command_continues(disk: Path, tmp_path: Path):
    plugin = tmp_path / "bulky.py"
    plugin.write_text(full_disk.PLUGIN)
    words = [sys.executable, "-m", "mrbench", "run", "--method", "bulky", "--plugin-file", str(plugin), "--dataset"]
    words += ["phantom", "--set", "phantom.subjects=9", "--set", "phantom.size=32", "--fold", "0", "--samples", "4"]
    words += ["--out", str(disk / "r"), "--json"]
    filler = disk / "filler"
    filler.write_bytes(bytes(DISK_BYTES - 150 * 1024))  # room for the run and its logs, and not for the weights
    failed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    (cell,) = json.loads(failed.stdout)["cells"]
    assert cell["status"] == "failed"
    assert cell["reason"].startswith(f"cannot write in {disk}")
    assert "No space left on device" in cell["reason"]
    assert " free" in cell["reason"]
    filler.unlink()
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_a_disk_without_room_for_the_run_itself_is_named(disk: Path):
    filler = disk / "filler"
    filler.write_bytes(bytes(DISK_BYTES - 4096))
    words = [sys.executable, "-m", "mrbench", "run", "--method", "staple", "--dataset", "phantom", "--fold", "0"]
    words += ["--set", "phantom.subjects=9", "--set", "phantom.size=32", "--out", "r"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd=disk)
    assert ended.returncode == 1
    assert f"mrbench: cannot write in {disk}/r" in ended.stderr
    assert "No space left on device\n  found:    " in ended.stderr
    assert "Traceback" not in ended.stderr
