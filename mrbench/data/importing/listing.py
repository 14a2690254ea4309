"""The files of a folder from a stranger: which could be images, and which are none. No link leads out of it."""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mrbench.data.archive import FREE_BYTES
from mrbench.data.image_file import ImageFile, open_image
from mrbench.data.odd_files import is_odd
from mrbench.errors import DataError, UsageError

ENDINGS = (".nii.gz", ".nii", ".png", ".tiff", ".tif", ".jpeg", ".jpg", ".npy", ".npz")
"""Of files that can be read; upper case is the same."""

LOSSY = (".jpeg", ".jpg")
"""Endings of files that keep no labels."""


@dataclass(frozen=True)
class Listing:
    """What lies in a folder, by names from there on with ``/`` between.

    Attributes:
        folder: as given.
        images: files whose ending says that they can be read, in natural order.
        others: everything else that is not hidden.
    """

    folder: Path
    images: tuple[str, ...]
    others: tuple[str, ...]

    def open(self, name: str, *, allowed: int = FREE_BYTES) -> AbstractContextManager[ImageFile]:
        """One of the images; errors: those of :func:`open_image`."""
        path = self.folder / name
        return open_image(path, str(path), allowed=allowed)


def list_files(folder: Path) -> Listing:
    """Lists a folder with all folders in it; hidden files and what systems leave behind are passed over.

    Raises:
        UsageError: not a folder.
        DataError: a link to a folder or an image leads out of it, or the name of an image is not UTF-8.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder, and no HDF5 file", hint="mrbench data import FOLDER")
    images: list[str] = []
    others: list[str] = []
    for name, is_file in _entries(folder, folder.resolve()):
        (images if is_file and split_ending(name)[1] else others).append(name)
    for name in images:
        _check_text(folder, name)
    return Listing(folder, tuple(sorted(images, key=natural)), tuple(sorted(others, key=natural)))


def split_ending(name: str) -> tuple[str, str]:
    """The name without its ending, and the ending in lower case; an empty one where it is none of ``ENDINGS``."""
    ending = next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")
    return name[: len(name) - len(ending)], ending


def natural(name: str) -> list[tuple[str, int, str]]:
    """A key that sorts ``case-2`` before ``case-10``."""
    found = re.findall(r"(\D*)(\d*)", name)
    return [(text.lower(), int(digits or -1), text + digits) for text, digits in found]


def _entries(folder: Path, root: Path) -> Iterator[tuple[str, bool]]:
    left = [("", folder)]  # no recursion: folders may be nested without end
    while left:
        prefix, path = left.pop()
        with os.scandir(path) as entries:
            kept = [entry for entry in entries if not is_odd(entry.name)]
        for entry in kept:
            _check_inside(entry, root)
            if entry.is_dir(follow_symlinks=False):
                left.append((f"{prefix}{entry.name}/", Path(entry.path)))
            else:  # a link to a folder is not followed: its files would stand there twice
                yield prefix + entry.name, Path(entry.path).is_file()  # and one to itself is no file


def _check_inside(entry: os.DirEntry[str], root: Path) -> None:
    if not Path(entry.path).is_dir() and not split_ending(entry.name)[1]:
        return  # nobody reads it
    if entry.is_symlink() and not (target := Path(os.path.realpath(entry.path))).is_relative_to(root):
        raise DataError(
            f"{entry.path} leads out of the folder",
            expected=f"files that lie in {root}",
            found=f"a link to {target}",
            hint="copy the files themselves into the folder, or import the folder that they lie in",
        )


def _check_text(folder: Path, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{folder / name} has a name that is not UTF-8", expected="names in UTF-8", hint="rename the file"
        ) from None
