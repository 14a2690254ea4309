"""From the nodules, prepared or in their archive, to cases."""

from pathlib import Path

import numpy as np

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters
from mrbench.data.splits import Split, split_by_subject
from mrbench.errors import DataAbsentError, DataError
from mrbench_lidc import CITATION, LICENCE
from mrbench_lidc.collection import RANKS, SLOTS
from mrbench_lidc.config import CollectionConfig, LidcConfig
from mrbench_lidc.nodules import CROP, FILE, Nodules, read_nodules
from mrbench_lidc.prepared import FILE as PREPARED
from mrbench_lidc.prepared import PUBLISHED, read_prepared

ORIGIN = "TCIA LIDC-IDRI, doi 10.7937/K9/TCIA.2015.LO9QL9SX"
"""Of the archive's nodules."""


def load(config: CollectionConfig, folder: Path) -> CaseSet:
    """Nodule slices of LIDC-IDRI: image (1, 64, 64), four masks, nine ratings per reader.

    Every scan was read by four radiologists, so a slot without an outline is a reader who marked nothing
    (``unmarked=empty``) unless one prefers not to know (``unmarked=absent``). Rows are chosen and ranked at native
    resolution, before the crop; a mask that the crop cuts stays, and ``clipped`` in the metadata counts them. The split
    ``strict`` is by patient, balanced in the mean area (mm²) of their nodules.

    They come from the container that ``mrbench data prepare lidc`` leaves, else from ``lidc_nodules.npz``. The two are
    cut alike; the declared origin, which enters the digest, tells them apart.

    Raises:
        DataAbsentError: neither file is in the data folder.
        DataError: the file is there and wrong.
    """
    found, origin, path = _read(folder)
    check_rule(config, origin, path)
    nodules = _chosen(found, path, config)
    return CaseSet(
        description=_description(origin, config),
        pixels=ArrayPixels(nodules.images[:, None, *CROP], nodules.masks[:, :, *CROP].astype(np.uint8)),
        ids=nodules.ids,
        subjects=nodules.patients,
        present=nodules.used if config.unmarked == "absent" else np.ones_like(nodules.used),
        splits={"strict": _split(nodules, config)},
        spacings=tuple((mm, mm) for mm in nodules.spacing.tolist()),
        attributes={name: nodules.ratings[:, :, a] for a, name in enumerate(nodules.rating_names)},
        metadata=_metadata(nodules),
    )


def check_rule(config: CollectionConfig, origin: str, path: Path) -> None:
    """Refuses masks that were made by the other rule of outlines that exclude than the option says.

    Raises:
        DataError: they were; says how to get the others.
    """
    found = "published" if origin.endswith(PUBLISHED) else "inside"
    if found != config.exclusions:
        raise DataError(
            f"{path} was made with exclusions={found}",
            expected=f"exclusions={config.exclusions}, as the option says",
            hint=f"--set exclusions={found}, or prepare it again: mrbench data prepare {path.stem} --source FOLDER "
            f"--set exclusions={config.exclusions}",
        )


def _read(folder: Path) -> tuple[Nodules, str, Path]:
    container, archive = folder / PREPARED, folder / FILE
    if container.is_file():
        return *read_prepared(container), container
    if archive.is_file():
        return read_nodules(archive), ORIGIN, archive
    raise _absent(folder)


def _chosen(nodules: Nodules, path: Path, config: LidcConfig) -> Nodules:
    if config.subset == "four":
        nodules = nodules.rows(np.all(nodules.areas > 0, axis=1))
    if not nodules.patients:
        raise DataError(f"{path} has no nodule with four non-empty masks", expected="at least one")
    return nodules.ranked() if config.raters == "ranked" else nodules


def _split(nodules: Nodules, config: LidcConfig) -> Split:
    size = nodules.areas.mean(axis=1) * nodules.spacing**2
    return split_by_subject(
        nodules.patients,
        folds=config.folds,
        seed=config.split_seed,
        validation_share=config.validation_share,
        size=size.tolist(),
    )


def _description(origin: str, config: LidcConfig) -> Description:
    ranked = config.raters == "ranked"
    return Description(
        name="lidc" if config.subset == "four" else "lidc-all",
        version="1",
        classes=("background", "nodule"),
        channels=("CT",),
        raters=Raters.RANKED if ranked else Raters.EXCHANGEABLE,
        rater_names=RANKS if ranked else SLOTS,
        normalisation="byte",
        augmentation=("flip", "rotate90"),
        licence=LICENCE,
        citation=CITATION,
        origin=origin,
    )


def _absent(folder: Path) -> DataAbsentError:
    return DataAbsentError(
        "data set 'lidc' is not there",
        expected=f"{PREPARED} or {FILE} in the data folder: nodule slices cut from the scans of LIDC-IDRI "
        "(The Cancer Imaging Archive, doi 10.7937/K9/TCIA.2015.LO9QL9SX)",
        found=f"no such file in {folder}",
        hint="download the collection, then: mrbench data prepare lidc --source FOLDER; or name the folder that holds "
        f"{FILE}: MRBENCH_DATA=FOLDER mrbench data verify lidc",
    )


def _metadata(nodules: Nodules) -> tuple[dict[str, int | float], ...]:
    cut = (nodules.masks[:, :, *CROP].sum(axis=(2, 3)) < nodules.areas).sum(axis=1)
    columns = {
        "scan": nodules.scans,
        "nodule": nodules.nodules,
        "z": nodules.z,
        "slice_thickness": nodules.thickness,
        "clipped": cut,
    }
    lists = {name: values.tolist() for name, values in columns.items()}
    return tuple({name: values[i] for name, values in lists.items()} for i in range(len(cut)))
