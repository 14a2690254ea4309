"""From the challenge's files to the container ``gbm.h5``."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mrbench.data.case import Case
from mrbench.data.container import write_cases
from mrbench.data.description import Description, Raters, Unit
from mrbench.data.splits import Split, split_by_subject
from mrbench_npc.files import depth_first, read_file
from mrbench_npc.gbm.config import GbmConfig
from mrbench_npc.gbm.listing import HINT, RATERS, CaseFile, list_cases

FILE = "gbm.h5"


def prepare(source: Path, out: Path, config: GbmConfig) -> str:
    """Writes the container from the folder that holds ``Annotator_1`` to ``Annotator_4``.

    Args:
        source: the challenge's folder.
        out: the container to write, or the folder to write ``gbm.h5`` to.
        config: the options; they choose splits only, and those are chosen again when the container is read.

    Returns:
        What was written, with the cases of each annotator.

    Raises:
        DataError: files that are absent, damaged or not laid out as the challenge's; names the file.
        MrbenchError: the container cannot be written.
    """
    files = list_cases(source)
    raters = [case.rater for case in files]
    split = make_split([case.subject for case in files], raters, config)
    path = out / FILE if out.is_dir() else out
    description = describe(files[0].channels, _training_size(files))
    write_cases(path, description, _cases(files), splits=lambda _: {"strict": split})
    counts = ", ".join(str(n) for n in np.bincount(raters, minlength=RATERS))
    return f"wrote {path}: {len(files)} cases, {counts} by annotators 1 to {RATERS}"


def describe(channels: tuple[str, ...], training_size: tuple[int, int] | None) -> Description:
    """The declarations; channels and sizes are those of the files."""
    return Description(
        name="gbm",
        version="1",
        classes=("background", "tumour"),
        channels=channels,
        raters=Raters.IDENTIFIED,
        rater_names=tuple(f"A{rater + 1}" for rater in range(RATERS)),
        unit=Unit.VOLUME,
        normalisation="z-score",
        augmentation=("flip", "rotate90", "rotate", "noise"),
        training_size=training_size,
        licence="terms of the MMIS-2024 challenge",
        citation="MMIS-2024 challenge, task 2",
        origin="MMIS-2024 challenge, task 2 (GBM): the archives of four annotators",
    )


def make_split(subjects: Sequence[str], raters: Sequence[int], config: GbmConfig) -> Split:
    """Folds by subject; each tests and trains on every annotator alike, as far as their cases go round.

    Raises:
        DataError: fewer subjects than folds.
    """
    return split_by_subject(
        subjects,
        folds=config.folds,
        seed=config.split_seed,
        validation_share=config.validation_share,
        size=raters,  # subjects of like "size" are dealt out over the folds
    )


def _cases(files: Iterable[CaseFile]) -> Iterator[Case]:
    for file in files:
        stored = read_file(file.path, file.channels, (file.label,), HINT)
        present = np.arange(RATERS) == file.rater
        yield Case(
            id=file.id,
            subject=file.subject,
            image=stored.image,
            masks=present[:, None, None, None] * stored.labels,
            present=present,
            spacing=depth_first(stored.spacing),
            metadata={"file": f"Annotator_{file.rater + 1}/{file.path.name}"},
        )


def _training_size(files: Iterable[CaseFile]) -> tuple[int, int] | None:
    """None where all planes are of one size, else that of the largest: padding cuts no mask."""
    planes = {file.shape[1:] for file in files}
    return None if len(planes) == 1 else (max(h for h, _ in planes), max(w for _, w in planes))
