"""A full disk is a full disk, whatever a library calls it; the message names the folder and the room that is left."""

import errno
from pathlib import Path

import pytest
import torch

from mrbench.engine.writing_faults import WritingError, bytes_text, number_of, told_in, writing_error
from mrbench.errors import PluginError

HDF5 = "Can't decrement id ref count (file write failed: time = now\n, errno = {}, error message = 'No space')"


def caused(outer: Exception, inner: Exception) -> Exception:
    try:
        raise outer from inner
    except type(outer) as error:
        return error


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), errno.ENOSPC),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), errno.EDQUOT),
        (OSError(errno.EROFS, "Read-only file system"), errno.EROFS),
        (OSError(errno.EIO, "Input/output error"), errno.EIO),
        (RuntimeError(HDF5.format(28)), errno.ENOSPC),
        (OSError(HDF5.format(5)), errno.EIO),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 640 vs 598"), errno.ENOSPC),
        (RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"), errno.ENOSPC),
        (RuntimeError("basic_ios::clear: iostream error"), errno.ENOSPC),
        (caused(PluginError("the method failed"), OSError(errno.EDQUOT, "x")), errno.EDQUOT),
    ],
)
def test_a_fault_of_writing_is_known_by_the_systems_number(error: Exception, number: int):
    assert number_of(error) == number


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a fault of the author's"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        PermissionError(errno.EACCES, "Permission denied"),
        RuntimeError(HDF5.format(2)),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("PytorchStreamReader failed reading zip archive: failed finding central directory"),
        ValueError("unexpected pos"),
    ],
)
def test_other_faults_are_none(error: Exception):
    assert number_of(error) is None
    assert writing_error(error, Path()) is None


def test_what_torch_raises_on_a_full_device_is_known():
    with pytest.raises(RuntimeError) as caught:
        torch.save({"a": torch.zeros(9)}, "/dev/full")
    assert number_of(caught.value) == errno.ENOSPC


def test_the_message_names_the_folder_of_the_file_its_room_and_what_to_do(tmp_path: Path):
    named = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "a" / "b" / "x.pt"))
    found = writing_error(named, Path("/elsewhere"))
    assert isinstance(found, WritingError)
    assert found.what == f"cannot write in {tmp_path}: No space left on device", "the nearest folder that is there"
    assert found.found.endswith(" free")
    assert "run the same command again" in found.hint
    within = writing_error(named, tmp_path.parent)
    assert within is not None
    assert within.what == f"cannot write in {tmp_path.parent}: No space left on device", "not its attempt, which goes"
    alone = writing_error(named)
    assert alone is not None
    assert alone.what == found.what
    unnamed = writing_error(RuntimeError("PytorchStreamWriter failed"), tmp_path)
    assert unnamed is not None
    assert unnamed.what == f"cannot write in {tmp_path}: No space left on device"


def test_only_faults_of_writing_are_told_otherwise(tmp_path: Path):
    with pytest.raises(WritingError, match="Read-only file system"), told_in(tmp_path):
        raise OSError(errno.EROFS, "Read-only file system")
    with pytest.raises(ValueError, match="mine"), told_in(tmp_path):
        raise ValueError("mine")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (626_688, "612 KiB"), (3 * 2**30, "3 GiB")],
)
def test_a_size_stands_in_the_largest_unit_of_which_there_is_one(size: int, text: str):
    assert bytes_text(size) == text
