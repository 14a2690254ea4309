"""From the annotations of one nodule to one row: a slice, a crop and four masks."""

from dataclasses import dataclass

import numpy as np

from mrbench_lidc.annotations import RATINGS, Annotation, Outline
from mrbench_lidc.dicom import Series, read_bytes
from mrbench_lidc.grouping import READERS
from mrbench_lidc.nodules import SIZE
from mrbench_lidc.outline import Exclusions, fill


@dataclass(frozen=True, eq=False)
class Row:
    """One nodule on one slice, at native resolution.

    Attributes:
        image: ``(71, 71)`` uint8; masks ``(4, 71, 71)`` uint8; used ``(4,)`` bool, slots with a reader.
        ratings: ``(4, 9)``, 0 where missing.
        z: of the slice, in mm.
    """

    image: np.ndarray
    masks: np.ndarray
    used: np.ndarray
    ratings: np.ndarray
    z: float


def cut(series: Series, annotations: list[Annotation], exclusions: Exclusions = "inside") -> Row | None:
    """The nodule on the slice of its largest outline; None where no outline encloses a pixel of a slice that is there.

    Of slices that tie, the one that more readers marked, then the lowest. The crop is centred on the box around all
    masks, and moved where it would leave the image.

    Args:
        series: the scan.
        annotations: at most four, in the order of their slots.
        exclusions: the rule of outlines that exclude, as of :func:`fill`.

    Raises:
        DataError: the image of the slice cannot be read, or is smaller than the crop.
    """
    drawn = [by_place(series, annotation) for annotation in annotations]
    place = _largest(series, drawn, exclusions)
    if place is None:
        return None
    chosen = series.slices[place]
    masks = plane_masks(series, drawn, place, exclusions)
    window = _window(np.any(masks, axis=0))
    cropped, used = np.zeros((READERS, SIZE, SIZE), np.uint8), np.arange(READERS) < len(annotations)
    cropped[used] = masks[:, *window]
    ratings = np.zeros((READERS, len(RATINGS)), np.int64)
    ratings[used] = [annotation.ratings for annotation in annotations]
    return Row(read_bytes(chosen)[window], cropped, used, ratings, chosen.z)


def by_place(series: Series, annotation: Annotation) -> dict[int, list[Outline]]:
    """What a reader drew, by the place of its slice."""
    outlines: dict[int, list[Outline]] = {}
    for outline in annotation.outlines:
        place = series.place(outline)
        if place is not None:
            outlines.setdefault(place, []).append(outline)
    return outlines


def plane_masks(
    series: Series, drawn: list[dict[int, list[Outline]]], place: int, exclusions: Exclusions
) -> np.ndarray:
    """``(A, H, W)`` bool: the masks of all annotations on one slice."""
    return np.stack([fill(outlines.get(place, ()), series.slices[place].shape, exclusions) for outlines in drawn])


def _largest(series: Series, drawn: list[dict[int, list[Outline]]], exclusions: Exclusions) -> int | None:
    ranks = {}
    for place in {place for outlines in drawn for place in outlines}:  # one at a time: masks of all would fill memory
        areas = np.count_nonzero(plane_masks(series, drawn, place, exclusions), axis=(1, 2)).tolist()
        ranks[max(areas), sum(area > 0 for area in areas), -place] = place
    best = max(ranks, default=(0, 0, 0))
    return ranks[best] if best[0] else None


def _window(nodule: np.ndarray) -> tuple[slice, slice]:
    rows, columns = (_around(np.flatnonzero(nodule.any(axis=axis)), nodule.shape[1 - axis]) for axis in (1, 0))
    return rows, columns


def _around(marked: np.ndarray, length: int) -> slice:
    start = (int(marked[0]) + int(marked[-1]) + 1) // 2 - SIZE // 2
    start = min(max(0, start), length - SIZE)
    return slice(start, start + SIZE)
