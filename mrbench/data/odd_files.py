"""Files that operating systems leave in folders: they belong to no data set and stop nothing."""

from collections.abc import Iterator
from pathlib import Path

MADE_BY_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")
"""Besides names that begin with a dot, such as ``.DS_Store`` and the ``._name`` that a Mac puts into archives."""


def is_odd(name: str) -> bool:
    """Is a file or folder of this name a system's own?"""
    return name.startswith(".") or name.lower() in MADE_BY_SYSTEMS


def files_below(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """The files of a folder and of all folders in it whose names end so, in any case, by name; no system's own."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.suffix.lower() in endings and not any(map(is_odd, inside)) and path.is_file():
            yield path
