"""``lidc-volumes``: every nodule of the collection as a volume, in the order of axes that is closest to RAS."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.container import open_container, write_cases
from mrbench.data.description import Unit
from mrbench.data.geometry import AFFINE, SAME, Geometry, to_ras
from mrbench.errors import DataAbsentError, DataError
from mrbench_lidc import published
from mrbench_lidc.annotations import RATINGS
from mrbench_lidc.collection import Collection
from mrbench_lidc.config import CollectionConfig
from mrbench_lidc.cutting import by_place, plane_masks
from mrbench_lidc.dataset import check_rule
from mrbench_lidc.dicom import Slice, read_bytes
from mrbench_lidc.folder import Outlined, no_nodule, nothing_enclosed, outlined_nodules
from mrbench_lidc.grouping import READERS
from mrbench_lidc.outline import Exclusions
from mrbench_lidc.prepared import ORIGINS, PUBLISHED, origin_of

SIDE = 64
"""Rows and columns of a crop, at least; a nodule that is larger has a larger one."""

MARGIN = 2
"""Slices below and above what anybody marked, where the scan has them."""

AXIAL = 0.9
"""Cosine between the normal of a slice and the body's axis, at least."""


class _UnevenError(Exception):
    """Slices around a nodule that are no grid; says why."""


def load(config: CollectionConfig, folder: Path) -> CaseSet:
    """Nodules of LIDC-IDRI as volumes: image (1, D, H, W), four masks, nine ratings per reader; split by patient.

    Raises:
        DataAbsentError: ``lidc-volumes.h5`` is not in the data folder.
        DataError: it is there and wrong.
    """
    path = folder / "lidc-volumes.h5"
    if not path.is_file():
        raise DataAbsentError(
            "data set 'lidc-volumes' is not prepared",
            expected=f"{path.name} in the data folder, made from the DICOM and XML files of LIDC-IDRI",
            found=f"no such file in {folder}",
            hint="mrbench data prepare lidc-volumes --source FOLDER",
        )
    stored = open_container(path, "stream")
    origin = stored.description.origin
    if origin.removesuffix(PUBLISHED) not in ORIGINS.values() or stored.description != _collection(origin).describe():
        raise DataError(
            f"{path} holds another data set",
            expected="nodules of LIDC-IDRI as this version prepares them",
            found=repr(stored.description.name),
            hint="mrbench data prepare lidc-volumes --source FOLDER",
        )
    check_rule(config, origin, path)
    cases = _collection(origin).view(stored, config)
    if not len(cases):
        raise DataError(f"{path} has no nodule with four non-empty masks", expected="at least one")
    return replace(cases, splits={"strict": published.strict(cases.subjects, config)})


def write_volumes(source: Path, out: Path, exclusions: Exclusions) -> tuple[list[str], list[str]]:
    """Writes the container, one nodule in memory at a time.

    Returns:
        The patient of each nodule, and what was left out, a line each.

    Raises:
        DataError: no nodule, or a file that is damaged; names it.
        MrbenchError: the container cannot be written.
    """
    patients: list[str] = []
    left_out: list[str] = []
    kind, nodules = outlined_nodules(source, left_out)

    def cases() -> Iterator[Case]:
        for one in nodules:
            try:
                case = _case(one, exclusions)
            except _UnevenError as error:
                left_out.append(f"{one.where}: {error}")
                continue
            if case is None:
                left_out.append(nothing_enclosed(one))
                continue
            patients.append(case.subject)
            yield case
        if not patients:
            raise no_nodule(source)

    write_cases(out, _collection(origin_of(kind, exclusions)).describe(), cases())
    return patients, left_out


def _collection(origin: str) -> Collection:
    return Collection("lidc-volumes", origin, subset="four", normalisation="byte", size=SIDE, unit=Unit.VOLUME)


def _case(one: Outlined, exclusions: Exclusions) -> Case | None:
    drawn = [by_place(one.series, annotation) for annotation in one.annotations]
    marked = {
        place: plane_masks(one.series, drawn, place, exclusions) for place in sorted({p for d in drawn for p in d})
    }
    marked = {place: masks for place, masks in marked.items() if masks.any()}
    if not marked:
        return None
    first, last = max(0, min(marked) - MARGIN), min(len(one.series.slices) - 1, max(marked) + MARGIN)
    planes = one.series.slices[first : last + 1]
    window = _window(np.any([masks.any(axis=0) for masks in marked.values()], axis=0))
    grid = _grid(planes, window)
    order = to_ras(grid)
    masks = np.zeros((READERS, *grid.array_shape), np.uint8)
    for place, found in marked.items():
        masks[: len(found), place - first] = found[:, *window]
    image = np.stack([read_bytes(one_slice)[window] for one_slice in planes])[None]
    kept = grid.reordered(order)
    depth, height, width = kept.spacing
    return Case(
        id=f"{one.series.patient}-scan{one.scan}-nodule{one.nodule}",
        subject=one.series.patient,
        image=np.ascontiguousarray(order.apply(image)),
        masks=np.ascontiguousarray(order.apply(masks)),
        present=np.ones(READERS, bool),  # all four read every scan
        spacing=(depth, height, width),
        attributes=_ratings(one),
        metadata={"scan": one.scan, "nodule": one.nodule, AFFINE: kept.affine.tolist()},
    )


def _ratings(one: Outlined) -> dict[str, np.ndarray]:
    rows = np.full((READERS, len(RATINGS)), np.nan)
    for slot, annotation in enumerate(one.annotations):
        rows[slot] = [value or np.nan for value in annotation.ratings]
    return {name: rows[:, place] for place, name in enumerate(RATINGS)}


def _window(nodule: np.ndarray) -> tuple[slice, slice]:
    """Around the box of what is marked, moved where it would leave the image."""
    boxes = [np.flatnonzero(nodule.any(axis=axis)) for axis in (1, 0)]
    side = max(SIDE, *(int(box[-1] - box[0]) + 1 for box in boxes))
    rows, columns = (_around(box, side, length) for box, length in zip(boxes, nodule.shape, strict=True))
    return rows, columns


def _around(box: np.ndarray, side: int, length: int) -> slice:
    side = min(side, length)
    start = min(max(0, int(box[0] + box[-1] + 1 - side) // 2), length - side)
    return slice(start, start + side)


def _grid(planes: tuple[Slice, ...], window: tuple[slice, slice]) -> Geometry:
    """Of the crop of some slices.

    Raises:
        _UnevenError: the slices lie no even steps apart, are of other sizes or directions, or are not axial.
    """
    first, last = planes[0].geometry, planes[-1].geometry
    if abs(first.affine[2, 2]) < AXIAL:
        raise _UnevenError(f"slices are not axial: {first.told()}")
    step = (last.affine[:3, 3] - first.affine[:3, 3]) / max(1, len(planes) - 1)
    if len(planes) == 1:
        step = first.affine[:3, 2] * (planes[0].thickness or 1.0)
    affine = first.affine.copy()
    affine[:3, 2] = step
    for place, one in enumerate(planes):
        expected = affine[:3, [0, 1, 3]] + np.outer(place * step, [0, 0, 1])
        apart = np.abs(one.geometry.affine[:3, [0, 1, 3]] - expected).max(axis=0)
        corners = apart @ [one.shape[1], one.shape[0], 1]
        if one.shape != planes[0].shape or not np.linalg.norm(step) or corners > SAME * np.linalg.norm(step):
            raise _UnevenError(
                f"slices are no grid: {one.geometry.told()}, where {_expected(first, step, place)} is expected"
            )
    rows, columns = window
    affine[:3, 3] += affine[:3, :2] @ [columns.start, rows.start]
    shape = (columns.stop - columns.start, rows.stop - rows.start, len(planes))
    return Geometry(affine, shape)


def _expected(first: Geometry, step: np.ndarray, place: int) -> str:
    affine = first.affine.copy()
    affine[:3, 3] += place * step
    return replace(first, affine=affine).told()
