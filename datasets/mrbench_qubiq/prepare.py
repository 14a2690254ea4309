"""From the challenge's files to the container ``qubiq-<task>.h5``."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.container import write_container
from mrbench.data.description import Description, Raters
from mrbench_qubiq.config import QubiqConfig
from mrbench_qubiq.listing import list_cases
from mrbench_qubiq.slices import Slice, read_slice
from mrbench_qubiq.splits import make_splits
from mrbench_qubiq.tasks import TASKS


def container_name(config: QubiqConfig) -> str:
    """The file of one task in the data folder."""
    return f"qubiq-{config.task}.h5"


def prepare(source: Path, out: Path, config: QubiqConfig) -> str:
    """Writes the container of one task; the collections are small enough to be read at once.

    Args:
        source: the folder that holds the collections, ``brain-growth`` and so on.
        out: the data folder, or any file of it: each task has a container of its own there.
        config: the options; ``task`` and ``partial`` choose what is written, the others count when it is read.

    Returns:
        What was written.

    Raises:
        DataError: files that are absent, damaged or not laid out as the challenge's; names the file.
        MrbenchError: the container cannot be written.
    """
    task = TASKS[config.task]
    files = list_cases(source, task, config)
    ids = tuple(case.id for case in files)
    splits = make_splits(ids, config)
    slices = [read_slice(case, len(task.channels)) for case in files]
    cases = CaseSet(
        description=replace(describe(config), training_size=_training_size(slices)),
        pixels=ArrayPixels([one.image for one in slices], [one.masks for one in slices]),
        ids=ids,
        subjects=ids,
        present=np.array([[path is not None for path in case.masks] for case in files]),
        splits=splits,
        spacings=tuple(one.spacing for one in slices),
        metadata=tuple({"file": case.image.relative_to(source).as_posix()} for case in files),
    )
    path = (out if out.is_dir() else out.parent) / container_name(config)
    write_container(path, cases)
    return f"wrote {path}: {len(ids)} cases of task {config.task!r}, {task.raters} raters"


def describe(config: QubiqConfig) -> Description:
    """The declarations but for the training size; an incomplete collection carries another name."""
    task = TASKS[config.task]
    return Description(
        name=f"qubiq-{config.task}" + ("-partial" if config.partial else ""),
        version="1",
        classes=("background", task.structure),
        channels=task.channels,
        raters=Raters(config.raters),
        rater_names=tuple(f"seg{rater:02}" for rater in range(1, task.raters + 1)),
        normalisation="z-score",
        augmentation=("flip", "rotate90", "noise"),
        licence="terms of the QUBIQ challenge",
        citation="Li et al., arXiv 2405.18435",
        origin=f"QUBIQ challenge, {task.folder}, task {task.number}",
    )


def _training_size(slices: Sequence[Slice]) -> tuple[int, int] | None:
    """None where all slices are of one size, else that of the largest: padding cuts no mask."""
    shapes = {one.image.shape[1:] for one in slices}
    return None if len(shapes) == 1 else (max(h for h, _ in shapes), max(w for _, w in shapes))
