"""Boundaries of masks: the pixels on them, or the elements of contour (surface) between pixels."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations, product
from typing import NamedTuple

import numpy as np

Corner = tuple[int, ...]
Normal = tuple[int, ...]


class Boundaries(NamedTuple):
    """Boundary points of M masks on one lattice."""

    lattice: tuple[int, ...]
    """Its shape."""
    points: list[np.ndarray]
    """Of each mask ``(n,)``, flat places on the lattice."""
    sizes: list[np.ndarray]
    """Of each mask ``(n,)``: 1 for a pixel; the length (area) of an element in mm (mm^2), or pixels."""


def boundary_pixels(masks: np.ndarray) -> Boundaries:
    """The pixels of masks ``(M, *box)`` of which a face lies on the background or on the edge of the box."""
    inner = masks.copy()
    padded = _pad(masks)
    for axis in range(1, masks.ndim):
        for shift in (0, 2):
            inner &= _window(padded, masks.shape, axis, shift)
    points = _places(masks & ~inner)
    return Boundaries(masks.shape[1:], points, [np.ones(len(place)) for place in points])


def _pad(masks: np.ndarray) -> np.ndarray:
    return np.pad(masks, [(0, 0), *[(1, 1)] * (masks.ndim - 1)])


def _window(padded: np.ndarray, shape: tuple[int, ...], axis: int, shift: int) -> np.ndarray:
    starts = [0, *[1] * (len(shape) - 1)]
    starts[axis] = shift
    return padded[tuple(slice(start, start + size) for start, size in zip(starts, shape, strict=True))]


def _places(on: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(row) for row in on.reshape(len(on), -1)]


def boundary_elements(masks: np.ndarray, spacing: tuple[float, ...]) -> Boundaries:
    """The elements of contour (surface) of masks ``(M, *box)``, two or three axes, on the lattice of pixel corners.

    A corner belongs to the boundary where the four (eight) pixels around it are not all alike; which of them are marked
    decides the length (area) there. Outside of the box is background. As surface-distance (Nikolov et al. 2021).
    """
    codes, table = _neighbour_codes(masks), element_sizes(spacing)
    points = _places((codes > 0) & (codes < len(table) - 1))
    sizes = [table[row[place]] for row, place in zip(codes.reshape(len(codes), -1), points, strict=True)]
    return Boundaries(codes.shape[1:], points, sizes)


def _neighbour_codes(masks: np.ndarray) -> np.ndarray:
    """``(M, *lattice)`` uint8, bit i is set where the i-th pixel around a corner is marked; lattice = box + 1."""
    padded, box = _pad(masks), masks.shape[1:]
    codes = np.zeros((len(masks), *(side + 1 for side in box)), np.uint8)
    for bit, corner in enumerate(product((0, 1), repeat=len(box))):
        window = tuple(slice(at, at + side + 1) for at, side in zip(corner, box, strict=True))
        codes |= padded[(slice(None), *window)].astype(np.uint8) << bit
    return codes


# Which pixels around a corner are marked, and the normals of the elements between them and the rest, in eighths of a
# pixel's face. All other neighbourhoods are reflections, rotations or complements of these: in two dimensions the cases
# of marching squares, in three those of marching cubes, triangulated as in surface-distance (Google Inc., Apache-2.0).
_CASES: dict[int, list[tuple[list[Corner], list[Normal]]]] = {
    2: [
        ([(1, 1)], [(4, 4)]),
        ([(1, 1), (1, 0)], [(8, 0)]),
        ([(1, 0), (0, 1)], [(4, 4), (4, 4)]),
    ],
    3: [
        ([(1, 1, 1)], [(1, 1, 1)]),
        ([(1, 1, 1), (1, 1, 0)], [(2, 2, 0), (2, 2, 0)]),
        ([(1, 1, 0), (1, 0, 1)], [(1, 1, 1), (1, 1, 1)]),
        ([(1, 0, 0), (0, 1, 1)], [(1, 1, 1), (1, 1, 1)]),
        ([(1, 1, 1), (1, 1, 0), (1, 0, 1)], [(1, 1, 1), (2, 2, 2), (4, 0, 0)]),
        ([(1, 1, 0), (1, 0, 1), (0, 1, 1)], [(1, 1, 1), (1, 1, 1), (1, 1, 1)]),
        ([(1, 1, 1), (1, 0, 0), (0, 1, 1)], [(0, 2, 2), (0, 2, 2), (1, 1, 1)]),
        ([(1, 1, 1), (1, 1, 0), (1, 0, 1), (1, 0, 0)], [(4, 0, 0), (4, 0, 0)]),
        ([(1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)], [(1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2)]),
        ([(1, 1, 1), (1, 1, 0), (1, 0, 0), (0, 1, 1)], [(0, 2, 2), (1, 1, 1), (2, 0, 2), (3, 3, 3)]),
        ([(1, 1, 0), (1, 0, 1), (1, 0, 0), (0, 1, 1)], [(1, 1, 1), (1, 1, 1), (2, 2, 2), (4, 0, 0)]),
        ([(1, 0, 1), (1, 0, 0), (0, 1, 1), (0, 1, 0)], [(2, 2, 0), (2, 2, 0), (2, 2, 0), (2, 2, 0)]),
        ([(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)], [(1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)]),
    ],
}


@lru_cache(maxsize=16)
def element_sizes(spacing: tuple[float, ...]) -> np.ndarray:
    """``(16,)`` lengths or ``(256,)`` areas of the boundary inside each neighbourhood of two or three axes."""
    faces = np.prod(spacing) / np.array(spacing)
    return np.linalg.norm(_normals(len(spacing)) * faces, axis=-1).sum(axis=-1)


@lru_cache
def _normals(axes: int) -> np.ndarray:
    """``(neighbourhoods, 4, axes)`` in pixel faces; zeros where there are fewer than four elements."""
    normals = np.zeros((1 << (1 << axes), 4, axes))
    for corners, elements in _CASES[axes]:
        for code, order in _same_shapes(corners, axes):
            turned = np.array(elements)[:, order] / 8
            normals[code, : len(turned)] = turned
    return normals


def _same_shapes(corners: list[Corner], axes: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Codes of the neighbourhoods that are a case reflected, rotated or complemented, and how its axes are ordered."""
    for order, flips in product(permutations(range(axes)), product((0, 1), repeat=axes)):
        turned = [tuple(corner[axis] ^ flip for axis, flip in zip(order, flips, strict=True)) for corner in corners]
        code = sum(1 << int("".join(map(str, corner)), 2) for corner in turned)
        yield from ((code, order), ((1 << (1 << axes)) - 1 - code, order))
