"""Masks of all raters stacked in one file per case: a fourth axis of a NIfTI file, a third of a NumPy array."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod

import numpy as np

from mrbench.data.frame import Shape, lengths
from mrbench.data.geometry import Geometry
from mrbench.data.image_file import ImageFile
from mrbench.data.importing.files import CaseFiles, Layout
from mrbench.data.importing.listing import Listing, split_ending
from mrbench.data.importing.request import RaterAxis
from mrbench.data.mask_values import StoredMask
from mrbench.errors import DataError, UsageError

BYTES_PER_LABEL = 8
"""That a mask may take per pixel of its image; what is drawn on a large image packs to nearly nothing."""

MAX_STACKED = 64
"""Raters in one file."""


def unstacked(layout: Layout, asked: RaterAxis | None, names: Sequence[str]) -> Layout:
    """The same cases with a rater per plane, where each has one mask file with one axis more than its image.

    Args:
        layout: as names of files say.
        asked: which axis of the file is of raters; None: the one that the image lacks.
        names: of the raters, in their order; none: they are numbered.

    Raises:
        UsageError: raters are named or an axis is, and no file holds several.
        DataError: both outer axes could be of raters, or there are other raters than names.
    """
    axes = [_axis(layout, case, asked) for case in layout.cases] if _may_stack(layout, asked, names) else []
    if not any(axis is not None for axis in axes):
        if asked or names:
            raise UsageError(
                f"--rater-{'axis' if asked else 'names'} is for mask files that hold several raters, and "
                f"{layout.listing.folder} has none",
                expected="one mask file per case, with one axis more than its image",
            )
        return layout
    cases = [_expanded(layout, case, axis, names) for case, axis in zip(layout.cases, axes, strict=True)]
    return replace(layout, cases=tuple(cases))


@contextmanager
def open_mask(listing: Listing, case: CaseFiles, rater: str, pixels: int) -> Iterator[ImageFile]:
    """The mask file of a rater, or of a stack the rater's plane.

    Args:
        listing: the files.
        case: whose mask.
        rater: of those that the case has masks of.
        pixels: of the image.
    """
    stacked = 1 if case.stack_axis is None else len(case.masks)
    with listing.open(case.masks[rater], allowed=BYTES_PER_LABEL * pixels * stacked) as file:
        yield file if case.stack_axis is None else _plane(file, case.stack_axis, case.plane(rater))


def _may_stack(layout: Layout, asked: RaterAxis | None, names: Sequence[str]) -> bool:
    """Has every case one mask, of one rater, and the first one an axis more than its image?"""
    raters = {rater for case in layout.cases for rater in case.masks}
    if len(raters) != 1:
        return False
    return bool(asked or names) or _axis(layout, layout.cases[0], asked) is not None


def _axis(layout: Layout, case: CaseFiles, asked: RaterAxis | None) -> int | None:
    """0 or -1, of the axes as they are read; None where the mask has no axis of raters."""
    name = next(iter(case.masks.values()))
    image, mask = (_shape(layout, file) for file in (case.image, name))
    is_nifti = split_ending(name)[1].startswith(".nii")
    if asked is not None:  # NIfTI is read last axis first
        return -1 if (asked == "last") != is_nifti else 0
    both_channels = is_nifti and len(lengths(image)) == len(lengths(mask)) == 4
    if not both_channels and _is_plain(image, mask):
        return None
    grids = [lengths(image), *([lengths(image[1:]), lengths(image[:-1])] if len(lengths(image)) > 2 else [])]
    fits = [axis for axis, rest in ((0, mask[1:]), (-1, mask[:-1])) if len(mask) > 2 and lengths(rest) in grids]
    if len(fits) == 2 and is_nifti:
        return 0  # behind x, y, z, as the format wants it
    if len(fits) > 1:
        path = layout.listing.folder / name
        raise DataError(
            f"{path} can hold raters along its first or its last axis",
            expected="one axis more than the image, and the others as long",
            found=f"axes {mask}, of the image {image}",
            hint="--rater-axis first, or --rater-axis last",
        )
    return fits[0] if fits else None


def _is_plain(image: Shape, mask: Shape) -> bool:
    return lengths(mask) in (lengths(image), lengths(image[1:]), lengths(image[:-1]))


def _shape(layout: Layout, name: str) -> Shape:
    with layout.listing.open(name) as file:
        return file.mask_shape if file.colours else file.shape


def _expanded(layout: Layout, case: CaseFiles, axis: int | None, names: Sequence[str]) -> CaseFiles:
    name = next(iter(case.masks.values()))
    n = 1 if axis is None else _shape(layout, name)[axis]
    if n > MAX_STACKED or (names and n != len(names)):
        raise DataError(
            f"{layout.listing.folder / name} holds {n} raters",
            expected=f"{len(names)}, as --rater-names names" if names else f"at most {MAX_STACKED}",
            hint="--rater-axis first or --rater-axis last says along which axis they lie",
        )
    raters = names or [f"rater-{place + 1}" for place in range(n)]
    return replace(case, masks=dict.fromkeys(raters, name), stack_axis=axis)


def _plane(file: ImageFile, axis: int, place: int) -> ImageFile:
    def stored() -> StoredMask:
        return replace(whole := file.stored(), values=np.ascontiguousarray(whole.values.take(place, axis)))

    shape = file.shape[1:] if axis == 0 else file.shape[:-1]
    spacing = file.spacing[-len(shape) :] if file.spacing and axis == 0 else None
    return replace(file, shape=shape, stored=stored, spacing=spacing, geometry=_geometry(file, shape, axis))


def _geometry(file: ImageFile, shape: Shape, axis: int) -> Geometry | None:
    """Of one plane: the third axis of a header may be of raters, and with the first one it says nothing."""
    if file.geometry is None or axis != 0:
        return None
    if prod(file.geometry.shape) == prod(shape):
        return file.geometry
    width, height, _ = file.geometry.shape
    return Geometry(file.geometry.affine, (width, height, 1), file.geometry.bare)
