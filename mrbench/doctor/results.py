"""The results folder: can it be written to, and what was left in it."""

import os
import shutil
from pathlib import Path

from mrbench.doctor.section import Section, gib
from mrbench.engine.store import is_busy

LOW = 2**30
"""Bytes below which a folder is as good as full."""


def results(folder: Path) -> Section:
    """Whether cells can be left in a folder, its free space (bytes) and its runs, cells, failures and attempts."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.access(path, os.F_OK))
    writable, free = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK), shutil.disk_usage(nearest).free
    counts = _counts(folder)
    low = [f"the disk of the results folder {folder} is nearly full: {gib(free)} are free"] if free < LOW else []
    return Section(
        title="results",
        rows=[
            ("folder", str(folder) + _remark(folder, writable)),
            ("free", gib(free)),
            *((name.replace("_", " "), str(number)) for name, number in counts.items()),
        ],
        facts={"folder": str(folder), "writable": writable, "free": free} | counts,
        attention=low if writable else [*low, f"the results folder {folder} cannot be written to: --out names another"],
        notes=_notes(counts),
    )


def _remark(folder: Path, writable: bool) -> str:
    if not writable:
        return " (cannot be written to)"
    return "" if folder.exists() else " (not there yet; a run makes it)"


def _counts(folder: Path) -> dict[str, int]:
    attempts = list(folder.glob("[ct]*/*/*/*/*.attempt-*"))
    busy = sum(is_busy(path.with_name(path.name.partition(".attempt-")[0])) for path in attempts)
    return {
        "runs": len(list(folder.glob("runs/*/run.json"))),
        "finished": len(list(folder.glob("cells/*/*/*/*[0-9]/record.json"))),
        "failed": len(list(folder.glob("cells/*/*/*/*.failed/record.json"))),
        "running": busy,
        "left_over": len(attempts) - busy,
    }


def _notes(counts: dict[str, int]) -> list[str]:
    notes = []
    if counts["failed"]:
        notes.append(f"failed cells: {counts['failed']}; mrbench show RUN says why, their command runs them again")
    if counts["left_over"]:
        notes.append(f"attempts left over: {counts['left_over']}; the command that began them continues from there")
    return notes
