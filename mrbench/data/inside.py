"""Files of a folder from a stranger that are links to somewhere else."""

import os
from pathlib import Path

from mrbench.errors import DataError


def check_inside(path: Path, folder: Path, *, hint: str) -> None:
    """Refuses a link out of the folder: what is read would go into a container that others get.

    Args:
        path: of a file in the folder.
        folder: as the user named it; it may be a link itself.
        hint: the next command, for messages.

    Raises:
        DataError: the path leads out; names it.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise DataError(f"{path} is a link to outside of its folder", expected=f"files within {folder}", hint=hint)
