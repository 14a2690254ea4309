"""The archives ``bubil_phase.npz``, ``bubil_fluo.npz`` and ``bubil_mri.npz``.

One row is one object in an image of its own (N rows, R raters):

    image (N, H, W) uint8; masks (N, R, H, W) bool, every rater marked every image; raters (R,) text;
    subset (N,) text, the library's set that the image comes from; name (N,) text, unique within its subset;
    native_px_per_px (N,) float, pixels of the original image along a side of one pixel here.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrbench.data.archive import Field, read_archive
from mrbench.errors import DataError


@dataclass(frozen=True, eq=False)
class Images:
    """The rows of an archive.

    Attributes:
        images: ``(N, H, W)`` uint8.
        masks: ``(N, R, H, W)`` bool.
        raters: (R,) names.
        subsets, names: (N,).
        native: ``(N,)`` float, pixels of the original image along a side of one pixel here.
    """

    images: np.ndarray
    masks: np.ndarray
    raters: tuple[str, ...]
    subsets: tuple[str, ...]
    names: tuple[str, ...]
    native: np.ndarray


def read_images(path: Path, raters: int, side: int) -> Images:
    """The rows of an archive of R raters and images ``(side, side)``.

    Raises:
        DataError: the archive is damaged or not laid out as above.
    """
    fields = read_archive(path, _fields(raters, side), hint=f"put the original {path.name} there again")
    _check(fields, path)
    people, subsets, names = (tuple(fields[name].tolist()) for name in ("raters", "subset", "name"))
    return Images(fields["image"], fields["masks"], people, subsets, names, fields["native_px_per_px"])


def _fields(raters: int, side: int) -> dict[str, Field]:
    return {
        "image": Field("u", ("N", side, side), 1),
        "masks": Field("b", ("N", raters, side, side)),
        "raters": Field("U", (raters,)),
        "subset": Field("U", ("N",)),
        "name": Field("U", ("N",)),
        "native_px_per_px": Field("f", ("N",)),
    }


def _check(fields: dict[str, np.ndarray], path: Path) -> None:
    raters = fields["raters"].tolist()
    rows = list(zip(fields["subset"].tolist(), fields["name"].tolist(), strict=True))
    native = fields["native_px_per_px"]
    faults = {
        "no image": not rows,
        "repeated or empty names of raters": len(set(raters)) < len(raters) or not all(raters),
        "two images of one name in one subset": len(set(rows)) < len(rows),
        "an image without a name or subset": not all(all(row) for row in rows),
        "a native_px_per_px that is not above 0": not ((native > 0) & np.isfinite(native)).all(),
        "an image that nobody marked": not fields["masks"].any(axis=(1, 2, 3)).all(),
    }
    found = [fault for fault, there in faults.items() if there]
    if found:
        raise DataError(f"{path} has wrong content", found="; ".join(found), hint="put the original file there again")
