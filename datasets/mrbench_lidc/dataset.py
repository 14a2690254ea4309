"""From the nodules, prepared or in their archive, to cases: of ``lidc``, and of the patients kept for development."""

from pathlib import Path

import numpy as np

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.description import Description, Raters
from mrbench.data.splits import Split, split_by_subject
from mrbench.errors import DataAbsentError, DataError
from mrbench_lidc import CITATION, LICENCE
from mrbench_lidc.collection import RANKS, SLOTS
from mrbench_lidc.config import CollectionConfig, LidcConfig, OutlineConfig
from mrbench_lidc.nodules import CROP, FILE, Nodules, read_nodules
from mrbench_lidc.prepared import FILE as PREPARED
from mrbench_lidc.prepared import PUBLISHED, read_prepared

ORIGIN = "TCIA LIDC-IDRI, doi 10.7937/K9/TCIA.2015.LO9QL9SX"
"""Of the archive's nodules."""

DEVELOPMENT_FOLDS = 3
"""The first of so many folds is the one that development has."""


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
    found, origin, path = _read("lidc", config, folder)
    nodules = _chosen(found, path, config)
    present = nodules.used if config.unmarked == "absent" else np.ones_like(nodules.used)
    name = "lidc" if config.subset == "four" else "lidc-all"
    ranked = config.raters == "ranked"
    return _cases(nodules, _description(name, origin, ranked=ranked), present, _split(nodules, config))


def load_development(config: OutlineConfig, folder: Path) -> CaseSet:
    """The nodules of patients of whom ``lidc`` has none: those without a slice of four non-empty masks.

    Choices made on them are made on nobody whom ``lidc`` tests. As there no mask is empty: a reader is present on the
    slices that they outlined (``unmarked=absent``, slice by slice), and readers are exchangeable, for a case with some
    of them has no ranks. The split ``strict`` has one fold, by patient: a third is tested.

    Raises:
        DataAbsentError, DataError: as :func:`load`.
    """
    found, origin, path = _read("lidc-dev", config, folder)
    others = {patient for patient, four in zip(found.patients, _four(found), strict=True) if four}
    nodules = found.rows(np.array([patient not in others for patient in found.patients]) & found.masks.any((1, 2, 3)))
    if not nodules.patients:
        raise DataError(f"{path} has no patient for development", expected="one without a slice that four outlined")
    every = _split(nodules, LidcConfig(folds=DEVELOPMENT_FOLDS))
    split = Split(every.name, every.folds[:1])
    return _cases(nodules, _description("lidc-dev", origin, ranked=False), nodules.areas > 0, split)


def _cases(nodules: Nodules, description: Description, present: np.ndarray, split: Split) -> CaseSet:
    return CaseSet(
        description=description,
        pixels=ArrayPixels(nodules.images[:, None, *CROP], nodules.masks[:, :, *CROP].astype(np.uint8)),
        ids=nodules.ids,
        subjects=nodules.patients,
        present=present,
        splits={split.name: split},
        spacings=tuple((mm, mm) for mm in nodules.spacing.tolist()),
        attributes={name: nodules.ratings[:, :, a] for a, name in enumerate(nodules.rating_names)},
        metadata=_metadata(nodules),
    )


def check_rule(config: OutlineConfig, origin: str, path: Path) -> None:
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


def _read(name: str, config: OutlineConfig, folder: Path) -> tuple[Nodules, str, Path]:
    """All nodules with their declared origin and their file, for the data set of that name."""
    container, archive = folder / PREPARED, folder / FILE
    if container.is_file():
        nodules, origin = read_prepared(container)
        path = container
    elif archive.is_file():
        nodules, origin, path = read_nodules(archive), ORIGIN, archive
    else:
        raise _absent(name, folder)
    check_rule(config, origin, path)
    return nodules, origin, path


def _four(nodules: Nodules) -> np.ndarray:
    """``(N,)`` bool: the rows with four non-empty masks."""
    return np.all(nodules.areas > 0, axis=1)


def _chosen(nodules: Nodules, path: Path, config: LidcConfig) -> Nodules:
    if config.subset == "four":
        nodules = nodules.rows(_four(nodules))
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


def _description(name: str, origin: str, *, ranked: bool) -> Description:
    return Description(
        name=name,
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


def _absent(name: str, folder: Path) -> DataAbsentError:
    return DataAbsentError(
        f"data set {name!r} is not there",
        expected=f"{PREPARED} or {FILE} in the data folder: nodule slices cut from the scans of LIDC-IDRI "
        "(The Cancer Imaging Archive, doi 10.7937/K9/TCIA.2015.LO9QL9SX)",
        found=f"no such file in {folder}",
        hint="download the collection, then: mrbench data prepare lidc --source FOLDER; or name the folder that holds "
        f"{FILE}: MRBENCH_DATA=FOLDER mrbench data verify {name}",
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
