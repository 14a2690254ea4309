"""What is measured of one case: arrays by name, NaN where a quantity does not apply."""

from collections.abc import Iterator

import numpy as np

from mrbench.agreement.chance import alpha_of, coincidences, fleiss_kappa
from mrbench.agreement.counts import CaseCounts
from mrbench.interfaces.case_tables import Overlaps
from mrbench.metrics.overlap import dice_ratio, iou_of
from mrbench.metrics.protocol import PUBLISHED, ScoringProtocol

SUMS = ("pair_shared", "pair_union", "coincidences", "nothing")
"""Quantities whose sums over cases are reduced, not their means."""


def case_quantities(counts: CaseCounts, slices: np.ndarray, protocol: ScoringProtocol) -> dict[str, np.ndarray]:
    """Every quantity of a case, by name.

    ``dice``, ``distance`` and ``slice_distance`` are ``(F, R, R)``, ``ranks`` is ``(F, R, R)`` [rater, rank],
    ``relative_area``, ``sensitivity``, ``specificity`` and ``nothing`` are ``(F, R)``, ``kappa`` and ``alpha`` ``()``,
    ``coincidences`` is ``(K, K)``; the others are ``(F,)`` and summarise the raters whoever they are.

    Args:
        counts: of the case.
        slices: ``(D, F, R, R)`` pixels that two raters share in each slice; D = 1 where the case is one.
        protocol: decides on two empty masks.
    """
    found = dict(_pairs(counts, slices, protocol)) | dict(_areas(counts))
    found |= {"sensitivity": counts.sensitivity, "specificity": counts.specificity}
    found |= {f"mean_{name}": _mean(found[name], 1) for name in ("sensitivity", "specificity")}
    matrix = coincidences(counts.votes, counts.counts)
    found["kappa"] = np.array(fleiss_kappa(counts.votes, counts.counts))
    found["alpha"], found["coincidences"] = alpha_of(matrix), matrix
    for name, values in found.items():
        if values.ndim and name not in SUMS:
            values[~counts.scored] = np.nan
    return found


def _pairs(counts: CaseCounts, slices: np.ndarray, protocol: ScoringProtocol) -> Iterator[tuple[str, np.ndarray]]:
    areas = counts.areas
    total = areas[:, :, None] + areas[:, None]
    union = total - counts.shared
    iou = _iou(counts.shared, protocol)
    others = counts.pairs & ~np.eye(len(counts.looked), dtype=bool)
    dice = _only(dice_ratio(counts.shared, total, protocol), counts.pairs)
    distance = _only(1 - iou, counts.pairs)
    yield "self_distance", _mean(distance, (1, 2)) if others.any() else np.full(len(areas), np.nan)
    yield "dice", dice
    yield "distance", _with_zero_diagonal(distance)
    yield "mean_dice", _mean(_only(dice, others), (1, 2))
    yield "mean_distance", _mean(_only(distance, others), (1, 2))
    by_slice = _with_zero_diagonal(_only(1 - _iou(slices, PUBLISHED).mean(axis=0), counts.pairs))
    yield "slice_distance", by_slice
    yield "mean_slice_distance", _mean(_only(by_slice, others), (1, 2))
    marked = _only(distance, others & (union > 0))
    yield "marked_dice", _mean(np.where(np.isnan(marked), np.nan, dice), (1, 2))
    yield "marked_distance", _mean(marked, (1, 2))
    yield "pair_shared", np.where(others, counts.shared, 0).sum(axis=(1, 2)).astype(np.float64)
    yield "pair_union", np.where(others, union, 0).sum(axis=(1, 2)).astype(np.float64)


def _areas(counts: CaseCounts) -> Iterator[tuple[str, np.ndarray]]:
    areas = _only(counts.areas.astype(np.float64), counts.looked)  # (F, R)
    mean = _mean(areas, 1)
    deviation = np.sqrt(_mean(np.square(areas - mean[:, None]), 1))
    several = np.count_nonzero(counts.looked) > 1
    scale = np.where((mean > 0) & several, mean, np.nan)
    yield "relative_area", areas / scale[:, None]
    yield "area_spread", deviation / scale
    yield "ranks", area_ranks(counts)
    yield "nothing", np.where(counts.looked, counts.areas == 0, 0.0)


def area_ranks(counts: CaseCounts) -> np.ndarray:
    """``(F, R, R)`` share [rater, rank] by area, rank 1 the smallest (ProSeg Fig. 4).

    n raters of equal area share their n ranks evenly. NaN where somebody is absent, for the ranks of different raters
    would not compare, and where nobody marked anything.
    """
    areas, raters = counts.areas, len(counts.looked)
    first = (areas[:, None] < areas[:, :, None]).sum(axis=2)[..., None]  # (F, R, 1) ranks below the rater's first
    equal = (areas[:, None] == areas[:, :, None]).sum(axis=2)[..., None]
    place = np.arange(raters)
    shares = np.where((place >= first) & (place < first + equal), 1 / equal, 0.0)
    shares[~(areas.any(axis=1) & counts.looked.all())] = np.nan
    return shares


def _iou(shared: np.ndarray, protocol: ScoringProtocol) -> np.ndarray:
    """``(..., R, R)`` IoU from shared pixels of the same shape."""
    flat = shared.reshape(-1, *shared.shape[-2:])
    return np.stack([iou_of(Overlaps(one, 0), protocol) for one in flat]).reshape(shared.shape)


def _only(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.where(where, values, np.nan)


def _with_zero_diagonal(distance: np.ndarray) -> np.ndarray:
    # A rater is at distance 0 of themselves, whatever a protocol says of two empty masks.
    same = np.eye(distance.shape[-1], dtype=bool)
    return np.where(same & ~np.isnan(distance), 0.0, distance)


def _mean(values: np.ndarray, axes: int | tuple[int, ...]) -> np.ndarray:
    """Mean over the axes of what is not NaN; NaN where nothing is left."""
    there = ~np.isnan(values)
    n = there.sum(axis=axes)
    total = np.where(there, values, 0.0).sum(axis=axes)
    return np.divide(total, n, out=np.full(np.shape(total), np.nan), where=n > 0)
