"""Where the voxels of a file lie in the patient: one orientation for all arrays, and whether two grids are the same.

Arrays are kept in the order and direction of axes that is closest to RAS: columns run to the right, rows to the front,
planes upwards. Flips and permutations lose nothing, so that the same masks are the same however they are stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Any

import numpy as np

from mrbench.errors import DataError

SAME = 0.05
"""Voxels that the corners of two grids may lie apart; headers are rounded."""

AFFINE = "affine"
"""The entry of a case's metadata that holds the affine of its array, for export."""

FLAT = 1e-3
"""Volume that the directions of three axes span, at most, that are no grid: two of them nearly run along each other."""

SAME_SPACING = 0.01
"""How far spacings may differ, relative."""

Axes = tuple[int, int, int]
Spacing = tuple[float, ...] | None


@dataclass(frozen=True)
class Reordering:
    """Another order and direction of the axes x, y, z.

    Attributes:
        axes: the old axis that becomes x, y and z.
        flipped: does the new axis run the other way?
    """

    axes: Axes = (0, 1, 2)
    flipped: tuple[bool, bool, bool] = (False, False, False)

    @property
    def inverse(self) -> "Reordering":
        """The one that takes this one back."""
        x, y, z = (self.axes.index(axis) for axis in range(3))
        return Reordering((x, y, z), (self.flipped[x], self.flipped[y], self.flipped[z]))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """``(..., D, H, W)`` with its last three axes, z, y, x, in the new order; a view."""
        leading = values.ndim - 3
        order = [*range(leading), *(leading + 2 - axis for axis in self.axes[::-1])]
        return np.flip(values.transpose(order), tuple(leading + 2 - axis for axis in range(3) if self.flipped[axis]))


@dataclass(frozen=True, eq=False)
class Geometry:
    """The grid of a file.

    Attributes:
        affine: ``(4, 4)`` from indices along x, y, z to mm to the right, front and top (RAS).
        shape: voxels along x, y, z.
        bare: is it what programs write that do not know it: the identity without a unit?
    """

    affine: np.ndarray
    shape: Axes
    bare: bool = False

    @property
    def spacing(self) -> tuple[float, ...]:
        """mm along z, y, x: the axes of an array ``(D, H, W)``."""
        return tuple(np.linalg.norm(self.affine[:3, :3], axis=0)[::-1].tolist())

    @property
    def array_shape(self) -> Axes:
        """``(D, H, W)``."""
        return self.shape[::-1]

    def corners(self) -> np.ndarray:
        """``(8, 4)`` places of the outermost voxels in mm, with a 1 behind."""
        ends = product(*((0, length - 1) for length in self.shape))
        return np.array([(*end, 1) for end in ends]) @ self.affine.T

    def reordered(self, order: Reordering) -> "Geometry":
        """The same voxels with other axes."""
        moves = np.zeros((4, 4))
        moves[3, 3] = 1
        for new, (old, flip) in enumerate(zip(order.axes, order.flipped, strict=True)):
            moves[old, new] = -1 if flip else 1
            moves[old, 3] = self.shape[old] - 1 if flip else 0
        x, y, z = (self.shape[axis] for axis in order.axes)
        return replace(self, affine=self.affine @ moves, shape=(x, y, z))

    @property
    def codes(self) -> str:
        """Where x, y and z run to, such as ``LPS``; of oblique axes the nearest."""
        axes = self.affine[:3, :3]
        nearest = np.abs(axes).argmax(axis=0)
        return "".join(("RAS" if axes[axis, i] > 0 else "LPI")[axis] for i, axis in enumerate(nearest.tolist()))

    def told(self) -> str:
        """For people: directions, size, spacing and place."""
        size = " x ".join(map(str, self.shape))
        place = ", ".join(f"{mm:.5g}" for mm in self.affine[:3, 3])
        return f"axes {self.codes}, {size} voxels of {_in_mm(self.spacing)}, the first at ({place}) mm"


def to_ras(geometry: Geometry) -> Reordering:
    """The order of axes that is closest to RAS; of a single plane that of its two axes, the third one last."""
    directions = geometry.affine[:3, :3] / np.linalg.norm(geometry.affine[:3, :3], axis=0)
    best = max(permutations(range(3)), key=lambda axes: sum(abs(directions[i, axis]) for i, axis in enumerate(axes)))
    flipped = {axis: bool(directions[i, axis] < 0) for i, axis in enumerate(best)}
    if geometry.shape.count(1) == 1:
        best = tuple(sorted(best, key=lambda axis: geometry.shape[axis] == 1))
    x, y, z = best
    return Reordering((x, y, z), _flips(geometry, (x, y, z), flipped))


def onto(reference: Geometry, other: Geometry) -> Reordering | None:
    """The reordering that brings a grid onto another one; None where they do not hold the same voxels."""
    between = np.linalg.inv(reference.affine) @ other.affine
    x, y, z = np.abs(between[:3, :3]).argmax(axis=1).tolist()
    if {x, y, z} != {0, 1, 2}:
        return None
    flipped = {axis: bool(between[i, axis] < 0) for i, axis in enumerate((x, y, z))}
    order = Reordering((x, y, z), _flips(other, (x, y, z), flipped))
    found = other.reordered(order)
    if found.shape != reference.shape:
        return None
    apart = (found.corners() - reference.corners()) @ np.linalg.inv(reference.affine).T
    return order if np.abs(apart).max() <= SAME else None


def same_grid(reference: Geometry, other: Geometry, where: str, whose: str) -> Reordering | None:
    """As :func:`onto`; None where one of the two states nothing, so that the other is taken to lie as it does.

    Args:
        reference: of the image or the case.
        other: of a mask or a prediction.
        where: the file, for messages.
        whose: the reference, in words.

    Raises:
        DataError: they hold other voxels; shows both.
    """
    order = onto(reference, other)
    if order is None and not (reference.bare or other.bare):
        raise DataError(
            f"{where} has another {difference(reference, other)} than {whose}",
            expected=reference.told(),
            found=other.told(),
            hint="resample it by nearest neighbour, or write it with the header of the image that it was drawn on",
        )
    return order


def difference(reference: Geometry, other: Geometry) -> str:
    """In a word, what tells two grids apart that are not the same."""
    if sorted(reference.shape) != sorted(other.shape):
        return "size"
    axes = (sorted(zip(one.array_shape, one.spacing, strict=True)) for one in (reference, other))
    ours, theirs = ([mm for length, mm in pairs if length > 1] for pairs in axes)
    return "place" if np.allclose(ours, theirs, rtol=SAME_SPACING) else "spacing"


def check_spacing(ours: Spacing, theirs: Spacing, where: str, whose: str) -> None:
    """Refuses a file with another spacing, in mm, last axes last, where both are known."""
    axes = min(len(ours or ()), len(theirs or ()))
    if ours and theirs and not np.allclose(theirs[-axes:], ours[-axes:], rtol=SAME_SPACING, atol=0):
        raise DataError(
            f"{where} has another spacing than {whose}",
            expected=f"{_in_mm(ours[-axes:])} (x, y, z order: last axis first)",
            found=_in_mm(theirs[-axes:]),
            hint="resample it by nearest neighbour, or write the spacing of the image that it was drawn on",
        )


def stored_geometry(metadata: Mapping[str, Any], spatial: tuple[int, ...]) -> Geometry | None:
    """The grid of a case's array ``(H, W)`` or ``(D, H, W)``; None where its metadata hold none that can be used."""
    try:
        affine = np.array(metadata.get(AFFINE), float)
    except (TypeError, ValueError):
        return None
    depth, height, width = (*(1,) * (3 - len(spatial)), *spatial)
    return Geometry(affine, (width, height, depth)) if is_affine(affine) else None


def is_affine(affine: np.ndarray) -> bool:
    """Does it place every voxel, and no two at one place?"""
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        return False
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(lengths.min() > 0) and abs(float(np.linalg.det(affine[:3, :3] / lengths))) > FLAT


def _in_mm(spacing: tuple[float, ...]) -> str:
    return " x ".join(f"{mm:.4g}" for mm in spacing[::-1]) + " mm"


def _flips(geometry: Geometry, axes: Axes, flipped: Mapping[int, bool]) -> tuple[bool, bool, bool]:
    def each() -> Iterator[bool]:
        for axis in axes:  # one voxel runs no way: what is along such an axis, channels maybe, stays as it is
            yield flipped[axis] and geometry.shape[axis] > 1

    x, y, z = each()
    return x, y, z
