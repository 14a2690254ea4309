"""From outlines to pixels.

A reader's line runs over the first pixels outside the nodule, so the nodule is what lies strictly inside the polygon
through the line's points: pixels on the polygon are outside. Everything is in whole numbers, so that no pixel depends
on rounding.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np

from mrbench_lidc.annotations import Outline

Exclusions = Literal["inside", "published"]
"""What an outline that excludes takes away: what lies strictly inside it, or its line too."""


def fill(outlines: Iterable[Outline], shape: tuple[int, int], exclusions: Exclusions = "inside") -> np.ndarray:
    """``(H, W)`` bool: inside an outline that includes, outside all that exclude. Parts beyond the image are cut.

    The line around a hole lies on nodule, for it too runs outside of what it encloses; by ``published``, the rule of
    pylidc, by which most published masks were made, the points of that line go with the hole.
    """
    nodule, hole = np.zeros(shape, bool), np.zeros(shape, bool)
    for outline in outlines:
        part = nodule if outline.included else hole
        part |= interior(outline.points, shape)
        if exclusions == "published" and not outline.included:
            columns, rows = outline.points[(outline.points < shape[::-1]).all(axis=1)].T
            hole[rows, columns] = True
    return nodule & ~hole


def interior(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels strictly inside a closed polygon; where it crosses itself, by the even-odd rule.

    Args:
        points: ``(P, 2)`` int64, column and row of each corner.
        shape: (H, W) of the image.

    Returns:
        ``(H, W)`` bool; no pixel for fewer than three points.
    """
    inside = np.zeros(shape, bool)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    rows, columns = np.arange(top, min(bottom + 1, shape[0])), np.arange(left, min(right + 1, shape[1]))
    if not len(rows) or not len(columns):
        return inside
    turns = np.zeros((len(rows), len(columns) + 1), bool)
    line = np.zeros((len(rows), len(columns)), bool)
    for start, end in zip(points - points.min(axis=0), np.roll(points, -1, axis=0) - points.min(axis=0), strict=True):
        _cross(turns, line, *((start, end) if start[1] <= end[1] else (end, start)))
    # A pixel is inside where an odd number of edges cross its row to the right of it.
    odd = np.logical_xor.accumulate(turns[:, ::-1], axis=1)[:, ::-1][:, 1:]
    inside[rows[:, None], columns] = odd & ~line
    return inside


def _cross(turns: np.ndarray, line: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> None:
    """Notes the column from which on an edge leaves the pixels of each of its rows to its left; marks those on it."""
    (x0, y0), (x1, y1) = upper, lower
    if y0 == y1:
        line[y0 : y0 + 1, min(x0, x1) : max(x0, x1) + 1] = True
        return
    y = np.arange(y0, min(y1 + 1, len(line)))
    crossed = x0 * (y1 - y0) + (x1 - x0) * (y - y0)  # in parts of a pixel: its height many make one
    column, rest = -(-crossed // (y1 - y0)), crossed % (y1 - y0)
    meets, there = y < y1, (rest == 0) & (column < line.shape[1])
    turns[y[meets], np.minimum(column, line.shape[1])[meets]] ^= True
    line[y[there], column[there]] = True
