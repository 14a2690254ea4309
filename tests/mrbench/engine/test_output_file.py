"""HDF5 on a disk that fills up: an exception that names the file, in whatever block, and the process lives."""

import errno
from pathlib import Path

import h5py
import numpy as np
import pytest

from mrbench.engine.output_file import OutputFile


def write(path: Path, blocks: int) -> None:
    output, noise = OutputFile(path), np.random.default_rng(0)
    with output, h5py.File(output, "w") as file:
        for block in range(blocks):
            file.create_dataset(f"{block}/x", data=noise.integers(0, 255, 5000, np.uint8), compression="gzip")
            output.check()
    output.check()


class Full:
    """A file of a disk with so much room."""

    def __init__(self, file: object, room: int) -> None:
        self.file, self.room = file, room

    def __getattr__(self, name: str) -> object:
        return getattr(self.file, name)

    def write(self, data: memoryview) -> int:
        if self.file.tell() + len(data) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.file.write(data)


def test_what_is_written_is_read_as_from_any_other_file(tmp_path: Path):
    write(tmp_path / "a.h5", 3)
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file) == ["0", "1", "2"]
        assert file["2/x"].shape == (5000,)
        first = file["0/x"][:]
    assert (first == np.random.default_rng(0).integers(0, 255, 5000, np.uint8)).all()


@pytest.mark.parametrize("room", [0, 1, 100, 2000, 5000, 9000, 14_000, 20_000, 24_000, 26_000])
def test_a_full_disk_is_an_exception_with_the_files_name(tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch):
    made = OutputFile.__init__

    def limited(self: OutputFile, path: Path) -> None:
        made(self, path)
        self._file = Full(self._file, room)

    monkeypatch.setattr(OutputFile, "__init__", limited)
    with pytest.raises(OSError, match="No space left") as caught:
        write(tmp_path / "a.h5", 5)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a.h5"))


def test_a_file_that_cannot_be_made_is_an_error_at_once(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        OutputFile(tmp_path / "nowhere" / "a.h5")
