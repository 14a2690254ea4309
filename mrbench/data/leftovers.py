"""What a process that was killed left of a file that it was writing."""

import os
import re
from contextlib import suppress
from pathlib import Path


def remove_leftovers(path: Path) -> None:
    """Removes the temporary files of ``path`` whose writers are gone.

    A writer is gone where no process of this machine has its number and nobody has the file open in HDF5, which locks
    what it writes: a machine that shares the folder keeps its own. What cannot be removed stays.
    """
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d{{1,10}})-[0-9a-f]{{8}}\.tmp")
    for found in path.parent.iterdir():
        matched = pattern.fullmatch(found.name)
        if matched and not _is_alive(int(matched[1])) and not _is_locked(found):
            with suppress(OSError):
                found.unlink()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True


def _is_locked(path: Path) -> bool:
    import fcntl

    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
