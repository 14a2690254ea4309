"""A run of a results folder that is put beside those of another."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from mrbench.engine.run import Run, open_run
from mrbench.errors import DataError
from mrbench.files import replaced

RUN = "run.json"
"""In a run's folder: its cells."""


def merge_run(folder: Path, final: Path) -> bool:
    """Copies a run as it is, or adds its cells to the run of that id which is there. Was anything to be done?

    Logs are no part of it. A run's command and data folder stay those of the first.

    Raises:
        DataError: one cannot be read, or both describe a data set differently.
        IncompatibleError: another version wrote one.
    """
    if not (folder / RUN).is_file() or (folder / RUN).is_symlink():
        raise DataError(f"the run {folder} has no {RUN}")
    own = open_run(str(folder), folder.parent.parent)
    if not (final / RUN).exists():
        _copy(folder / RUN, final / RUN)
        return True
    there = open_run(str(final), final.parent.parent)
    both = together(there, own)
    if len(both.cells) == len(there.cells):
        return False
    both.write()
    return True


def together(there: Run, own: Run) -> Run:
    """A run with the cells of both, those of the first one first.

    Raises:
        DataError: they describe a data set differently.
    """
    shared = there.descriptions.keys() & own.descriptions.keys()
    if differing := sorted(name for name in shared if there.descriptions[name] != own.descriptions[name]):
        raise DataError(f"{own.folder} and {there.folder} are runs of one id and describe {differing[0]!r} differently")
    known = {spec.folder(Path()) for spec, _ in there.cells}
    new = [(spec, reason) for spec, reason in own.cells if spec.folder(Path()) not in known]
    return replace(there, cells=[*there.cells, *new], descriptions={**own.descriptions, **there.descriptions})


def _copy(path: Path, final: Path) -> None:
    final.parent.mkdir(parents=True, exist_ok=True)
    with replaced(final) as temporary:
        shutil.copyfile(path, temporary)
        written = path.stat()
        os.utime(temporary, ns=(written.st_atime_ns, written.st_mtime_ns))  # "last" is the newest of both folders
