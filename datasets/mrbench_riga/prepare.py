"""From the crops and label masks to the container ``riga.h5``."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mrbench.data.case import Case
from mrbench.data.container import write_cases
from mrbench.data.description import Description, Raters
from mrbench_riga.config import RigaConfig
from mrbench_riga.listing import RATERS, CaseFiles, list_cases
from mrbench_riga.pictures import read_crop
from mrbench_riga.splits import make_splits

FILE = "riga.h5"


def prepare(source: Path, out: Path, config: RigaConfig) -> str:
    """Writes the container.

    Args:
        source: the folder that holds ``DiscRegion`` and the lists.
        out: the container to write, or the folder to write ``riga.h5`` to.
        config: the options; ``size`` and ``partial`` choose what is written, the others count when it is read.

    Returns:
        What was written.

    Raises:
        DataError: lists or pictures that are absent, damaged or not laid out as expected; names the file.
        UsageError: Pillow is not installed.
        MrbenchError: the container cannot be written.
    """
    files = list_cases(source, config)
    splits = make_splits([case.id for case in files], config)
    path = out / FILE if out.is_dir() else out
    write_cases(path, describe(config), _cases(files, source, config.size), splits=lambda _: splits)
    return f"wrote {path}: {len(files)} cases of {config.size} x {config.size} pixels, {RATERS} raters"


def describe(config: RigaConfig) -> Description:
    """The declarations; an incomplete collection carries another name, so that its results stand apart."""
    return Description(
        name="riga-partial" if config.partial else "riga",
        version="1",
        classes=("background", "disc rim", "cup"),
        channels=("red", "green", "blue"),
        raters=Raters.IDENTIFIED,
        rater_names=tuple(f"rater-{r}" for r in range(1, RATERS + 1)),
        normalisation="byte",
        augmentation=("flip", "rotate90"),
        native_grid=False,
        licence="CC BY-NC",
        citation="Almazroa et al., SPIE Medical Imaging 2018",
        origin=f"RIGA as label masks (MRNet), disc region resized to {config.size} x {config.size}",
    )


def _cases(files: Iterable[CaseFiles], source: Path, size: int) -> Iterator[Case]:
    for file in files:
        crop = read_crop(file, size)
        yield Case(
            id=file.id,
            subject=file.id,
            image=crop.image,
            masks=crop.masks,
            present=np.array([path is not None for path in file.masks]),
            metadata={"file": file.image.relative_to(source).as_posix(), "native_shape": list(crop.native)},
        )
