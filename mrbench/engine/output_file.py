"""A file that HDF5 writes through, so that a full disk is an exception and not the end of the process."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self


class OutputFile:
    """A new file for ``h5py.File``, which remembers the first fault of writing.

    HDF5 itself loses such a fault when an object is freed, and ends the process by SIGSEGV when a file is closed after
    one. Here nothing is written after the first, HDF5 sees none, and :meth:`check` raises it.
    """

    def __init__(self, path: Path) -> None:
        self._file: Any = path.open("w+b", buffering=0)
        self._path, self._at = path, 0
        self._fault: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def check(self) -> None:
        """Raises the first fault of writing, where there was one.

        Raises:
            OSError: that fault; names the file.
        """
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of any file."""
        self._at = self._file.seek(offset, whence)
        return self._at

    def tell(self) -> int:
        """As of any file."""
        return self._at

    def read(self, size: int) -> bytes:
        """As of any file."""
        return bytes(self._file.read(size))

    def readinto(self, room: memoryview) -> int:
        """Fills ``room``; what was never written is 0."""
        found = self._file.readinto(room)
        room[found:] = bytes(len(room) - found)
        return len(room)

    def write(self, data: memoryview) -> int:
        """Writes all of it, or nothing where something failed before."""
        done = 0
        while done < len(data) and self._fault is None:
            try:
                done += self._file.write(data[done:])
            except OSError as error:
                self._keep(error)
        return len(data)

    def truncate(self, size: int) -> int:
        """Gives the file its length."""
        if self._fault is None:
            try:
                self._file.truncate(size)
            except OSError as error:
                self._keep(error)
        return size

    def flush(self) -> None:
        """Nothing is kept back."""

    def _keep(self, error: OSError) -> None:
        error.filename = str(self._path)
        self._fault = error
