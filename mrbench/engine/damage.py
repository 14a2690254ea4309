"""Finished folders that are not what was written: found by their digests, moved aside, never deleted."""

import uuid
from pathlib import Path

from mrbench.engine.build import read_training
from mrbench.engine.cell import Status
from mrbench.engine.manifest import check_files
from mrbench.engine.record import RECORD, read_record
from mrbench.errors import DataError

DAMAGED = "damaged"
"""The folder in the results folder that damaged cells and trainings are moved to, under the paths that they had."""


def fault_of_cell(folder: Path) -> DataError | None:
    """What is wrong with a finished cell, every byte looked at; None where nothing is, or none is there.

    Raises:
        IncompatibleError: another version wrote it.
    """
    try:
        record = read_record(folder)
        if record is not None and record["status"] != Status.OK:
            return DataError(f"the record {folder / RECORD} is damaged", found=f"status {record['status']}")
        if record is not None:
            check_files(folder, record)
    except DataError as error:
        return error
    return None


def fault_of_training(folder: Path) -> DataError | None:
    """What is wrong with a finished training, every byte looked at; None where nothing is, or none is there."""
    try:
        training = read_training(folder)
        if training is not None:
            check_files(folder, training)
    except DataError as error:
        return error
    return None


def move_aside(folder: Path, results: Path) -> Path | None:
    """Moves a folder to where damaged ones lie; returns its new path, None where another process was first."""
    target = results / DAMAGED / folder.relative_to(results)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        return folder.rename(target)
    except FileNotFoundError:
        return None
