"""From what is understood of a folder to its container, one case at a time."""

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path

import numpy as np

from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.checks import ImageShift
from mrbench.data.container import write_cases
from mrbench.data.geometry import AFFINE
from mrbench.data.importing.files import CaseFiles
from mrbench.data.importing.stacks import open_mask
from mrbench.data.importing.understand import Understood
from mrbench.data.importing.void import read_judged
from mrbench.data.splits import Split, split_by_subject
from mrbench.data.stored_image import stored_image
from mrbench.errors import DataError

SPLIT_SEED = 0

WATCHED = 200
"""Cases whose images are held against their masks."""


def write_import(found: Understood, out: Path, watch: ImageShift | None = None) -> str:
    """Writes the container, all or nothing; returns its content digest.

    The split ``strict`` deals subjects to the folds so that each has masks of like sizes.

    Args:
        found: what is imported.
        out: the container.
        watch: sees some of the cases, images and all.

    Raises:
        DataError: a file that changed since it was looked at, or an image with values that are not finite; names it.
        MrbenchError: the container cannot be written.
    """
    sizes: list[float] = []

    def cases() -> Iterator[Case]:
        for index in range(len(found.layout.cases)):
            case = _read(found, index)
            sizes.append(float((case.masks[case.present] > 0).mean()))
            if watch is not None and index < WATCHED:
                watch.add(case)
            yield case

    def splits(written: CaseSet) -> Mapping[str, Split]:
        return {"strict": split_by_subject(written.subjects, folds=found.folds, seed=SPLIT_SEED, size=sizes)}

    return write_cases(out, found.description, cases(), splits=splits)


def _read(found: Understood, index: int) -> Case:
    files, spatial = found.layout.cases[index], found.survey.shape(index)
    image = _image(found, files, index)
    masks = np.zeros((len(found.columns.names), *spatial), np.uint8)
    present, valid = np.zeros(len(masks), bool), np.ones(spatial, bool)
    for column, rater in found.columns.of(files):
        classes, judged = _mask(found, files, rater, index)
        masks[column], present[column] = classes.reshape(spatial), True
        valid &= judged.reshape(spatial) if judged.ndim else judged
    return Case(
        id=files.id,
        subject=files.subject,
        image=image.reshape(len(image), *spatial),
        masks=masks * valid,
        present=present,
        slice=files.slice,
        spacing=found.survey.spacing(index),
        metadata={"image": files.image, "masks": dict(files.masks), **_affine(found, index)},
        valid=valid,
    )


def _affine(found: Understood, index: int) -> dict[str, list[list[float]]]:
    geometry = found.survey.facts[index].frame.geometry
    return {} if geometry is None or geometry.bare else {AFFINE: geometry.affine.tolist()}


def _image(found: Understood, files: CaseFiles, index: int) -> np.ndarray:
    path, facts = found.layout.listing.folder / files.image, found.survey.facts[index]
    with found.layout.listing.open(files.image) as file:
        if file.shape != facts.stored:
            raise _changed(path)
        return stored_image(file, facts.frame, path)


def _mask(found: Understood, files: CaseFiles, rater: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    path, frame = found.layout.listing.folder / files.masks[rater], found.survey.facts[index].frame
    with open_mask(found.layout.listing, files, rater, prod(frame.lies)) as file:
        _, labels, valid = read_judged(file, frame, found.rules, found.void, str(path))
    if not found.labels.knows(labels):
        raise _changed(path)
    return found.labels.classes_of(labels), valid


def _changed(path: Path) -> DataError:
    return DataError(f"{path} changed while it was imported", hint="run the command again")
