"""The archive of nodules, ``lidc_nodules.npz``, and the choice of its rows.

One row is one nodule on the slice of its largest contour, 71 x 71 native pixels around it (N rows, R = 4 readers):

    image (N, 71, 71) uint8, Hounsfield window [-1000, 400] scaled to 0..255; masks (N, 4, 71, 71) bool;
    attributes (N, 4, 9) int8, ratings 1..6, 0 where missing; attribute_names (9,);
    annotation_id (N, 4), 0 where the reader outlined no nodule of 3 mm or more; n_raters (N,), how many did;
    patient_id, scan_id, nodule_id, z (mm), pixel_spacing (mm), slice_thickness (mm) (N,);
    primary (N,) bool, the one row to use where a nodule has several.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.archive import Field, read_archive
from mrbench.errors import DataError

FILE = "lidc_nodules.npz"
SIZE = 71
"""Rows and columns of a row's image."""

CROP = (slice(2, 66), slice(2, 66))
"""The 64 x 64 centre crop: it holds every mask in 99.9 % of the rows."""

_FIELDS = {
    "image": Field("u", ("N", SIZE, SIZE), 1),
    "masks": Field("b", ("N", 4, SIZE, SIZE)),
    "attributes": Field("i", ("N", 4, 9), 1),
    "attribute_names": Field("U", (9,)),
    "annotation_id": Field("iu", ("N", 4)),
    "patient_id": Field("U", ("N",)),
    "scan_id": Field("iu", ("N",)),
    "nodule_id": Field("iu", ("N",)),
    "z": Field("f", ("N",)),
    "pixel_spacing": Field("f", ("N",)),
    "slice_thickness": Field("f", ("N",)),
    "primary": Field("b", ("N",)),
}


@dataclass(frozen=True, eq=False)
class Nodules:
    """Rows of the archive, N of them, at native resolution.

    Attributes:
        images: ``(N, H, W)`` uint8.
        masks: ``(N, 4, H, W)`` bool; ratings ``(N, 4, 9)`` float, NaN where missing; used ``(N, 4)`` bool, the slots
            of readers who outlined the nodule on any slice.
        rating_names: (9,); patients, scans, nodules: (N,); z, spacing, thickness: (N,) mm.
    """

    images: np.ndarray
    masks: np.ndarray
    ratings: np.ndarray
    used: np.ndarray
    rating_names: tuple[str, ...]
    patients: tuple[str, ...]
    scans: np.ndarray
    nodules: np.ndarray
    z: np.ndarray
    spacing: np.ndarray
    thickness: np.ndarray

    @property
    def ids(self) -> tuple[str, ...]:
        """(N,) names: patient, scan and nodule."""
        rows = zip(self.patients, self.scans.tolist(), self.nodules.tolist(), strict=True)
        return tuple(f"{patient}-scan{scan}-nodule{nodule}" for patient, scan, nodule in rows)

    @property
    def areas(self) -> np.ndarray:
        """``(N, 4)`` pixels, before any crop."""
        areas: np.ndarray = self.masks.sum(axis=(2, 3))
        return areas

    def rows(self, chosen: np.ndarray) -> "Nodules":
        """The rows that ``chosen`` (N,) bool names."""
        keep = np.flatnonzero(chosen)
        return Nodules(
            self.images[keep],
            self.masks[keep],
            self.ratings[keep],
            self.used[keep],
            self.rating_names,
            tuple(self.patients[i] for i in keep),
            *(values[keep] for values in (self.scans, self.nodules, self.z, self.spacing, self.thickness)),
        )

    def ranked(self) -> "Nodules":
        """Each row's masks, ratings and used slots sorted by (area, stored slot), ascending."""
        order = np.argsort(self.areas, axis=1, kind="stable")
        rows = np.arange(len(order))[:, None]
        return Nodules(
            self.images,
            self.masks[rows, order],
            self.ratings[rows, order],
            self.used[rows, order],
            self.rating_names,
            self.patients,
            *(self.scans, self.nodules, self.z, self.spacing, self.thickness),
        )


def read_nodules(path: Path) -> Nodules:
    """The primary rows of the archive.

    Raises:
        DataError: the archive is damaged or not laid out as above.
    """
    fields = read_archive(path, _FIELDS, hint="put the original lidc_nodules.npz there again")
    _check(fields, path)
    ratings = fields["attributes"].astype(np.float64)
    every = Nodules(
        fields["image"],
        fields["masks"],
        np.where(ratings > 0, ratings, np.nan),
        fields["annotation_id"] > 0,
        tuple(fields["attribute_names"].tolist()),
        tuple(fields["patient_id"].tolist()),
        *(fields[name] for name in ("scan_id", "nodule_id", "z", "pixel_spacing", "slice_thickness")),
    )
    return every.rows(fields["primary"])


def _check(fields: dict[str, np.ndarray], path: Path) -> None:
    faults = {
        "no row with primary set": not fields["primary"].any(),
        "a rating below 0": fields["attributes"].size and fields["attributes"].min() < 0,
        "a pixel_spacing that is not above 0 mm": not (fields["pixel_spacing"] > 0).all(),
        "a number that is not finite": not all(
            np.isfinite(fields[name]).all() for name in ("z", "pixel_spacing", "slice_thickness")
        ),
        "a mask in the slot of a reader who outlined nothing": (
            fields["masks"].any(axis=(2, 3)) & (fields["annotation_id"] <= 0)
        ).any(),
        "an empty patient_id": not all(fields["patient_id"].tolist()),
        "repeated attribute_names": len(set(fields["attribute_names"].tolist())) < 9,
    }
    found = [fault for fault, there in faults.items() if there]
    if found:
        raise DataError(f"{path} has wrong content", found="; ".join(found), hint="put the original file there again")
