"""The content of a file by its digest, and whether it stayed the same while it was read."""

import hashlib
from pathlib import Path

from mrbench.errors import DataError


def changed(path: Path) -> DataError:
    """The error that says that a file is no longer what it was."""
    return DataError(f"{path} changed while it was read", hint="run the command again")


class FileContent:
    """One file as it was when this was made.

    Raises:
        OSError: it cannot be looked at.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._was = self._identity()

    def digest(self) -> str:
        """Hex digits of its SHA-256."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def check_unchanged(self) -> None:
        """Refuses a file that was replaced or written to.

        Raises:
            DataError: it is another one by now.
        """
        try:
            same = self._identity() == self._was
        except OSError:
            same = False
        if not same:
            raise changed(self.path)

    def _identity(self) -> tuple[int, int, int]:
        state = self.path.stat()
        return state.st_ino, state.st_size, state.st_mtime_ns
