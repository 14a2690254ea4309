"""Distances between the boundaries of masks: Hausdorff distance, HD95, mean distance, surface Dice.

Three definitions are in use; the default is MONAI's.

| ``definition`` | boundary | HD95 | as in |
|---|---|---|---|
| ``larger`` | pixels | the larger of the two directed percentiles | MONAI, Metrics Reloaded |
| ``pooled`` | pixels | percentile of the distances of both directions together | MedPy |
| ``weighted`` | elements | the larger of the two directed percentiles, weighted by length (area) | surface-distance |

Under ``pooled`` a long boundary outvotes a short one. ``weighted`` does not depend on how the grid cuts a surface: take
it for volumes whose slices are thicker than their pixels. Outside of the image is background under all three.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.arrays import Array, to_host
from mrbench.metrics.boundary import Boundaries, boundary_elements, boundary_pixels
from mrbench.metrics.keyed import by_rater
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import validate_grids, validate_masks
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.spacing import steps_of

Definition = Literal["larger", "pooled", "weighted"]

_TIE = 1 + 1e-9
"""A distance that is the tolerance but for rounding, such as three steps of 0.1 and 0.3, is within it."""


class Directed(NamedTuple):
    """From one boundary to another."""

    distances: np.ndarray
    """``(n,)`` of each boundary point to the nearest one of the other boundary."""
    sizes: np.ndarray
    """``(n,)`` of the boundary points: 1 for a pixel, else the length (area) of the element."""


Pair = tuple[Directed, Directed]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Boundaries of S samples and of the masks of R raters: every distance between them, from one map per mask.

    Attributes:
        pairs: the two directions of each pair of masks [s, r] that are both not empty, in mm, or pixels.
        one_empty: ``(S, R)`` bool, exactly one of the two masks is empty.
        diagonal: of the image; the distance where one mask is empty, so that nothing is further.
        definition: of boundaries and percentiles.
    """

    pairs: dict[tuple[int, int], Pair]
    one_empty: np.ndarray
    diagonal: float
    definition: Definition

    def percentile(self, percent: float) -> np.ndarray:
        """``(S, R)`` percentile of the distances, 100 for the greatest; one empty mask: the diagonal, two: 0."""
        take = _PERCENTILES[self.definition]
        return self._of_pairs(lambda pair: take(pair, percent / 100), one_empty=self.diagonal, both_empty=0)

    def mean(self) -> np.ndarray:
        """``(S, R)`` mean distance over both boundaries; one empty mask: the diagonal, two: 0."""
        return self._of_pairs(_mean, one_empty=self.diagonal, both_empty=0)

    def nsd(self, tolerance: float) -> np.ndarray:
        """``(S, R)`` share of both boundaries within the tolerance of each other; one empty mask: 0, two: 1."""
        return self._of_pairs(lambda pair: _share_within(pair, tolerance * _TIE), one_empty=0, both_empty=1)

    def _of_pairs(self, measure: Callable[[Pair], float], *, one_empty: float, both_empty: float) -> np.ndarray:
        values = np.where(self.one_empty, float(one_empty), float(both_empty))
        for at, pair in self.pairs.items():
            values[at] = measure(pair)
        return values


def _larger_percentile(pair: Pair, share: float) -> float:
    return max(_quantile(directed.distances, share) for directed in pair)


def _pooled_percentile(pair: Pair, share: float) -> float:
    return _quantile(np.concatenate([directed.distances for directed in pair]), share)


def _weighted_percentile(pair: Pair, share: float) -> float:
    return max(_weighted_quantile(directed, share) for directed in pair)


_PERCENTILES: dict[Definition, Callable[[Pair, float], float]] = {
    "larger": _larger_percentile,
    "pooled": _pooled_percentile,
    "weighted": _weighted_percentile,
}


def _quantile(distances: np.ndarray, share: float) -> float:
    """Linear between the two nearest; np.percentile does the same 20 times as slowly."""
    at = share * (len(distances) - 1)
    low = int(at)
    high = min(low + 1, len(distances) - 1)
    ordered = np.partition(distances, (low, high))
    return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))


def _weighted_quantile(directed: Directed, share: float) -> float:
    """The least distance within which that share of the boundary lies."""
    order = np.lexsort((directed.sizes, directed.distances))
    reached = np.cumsum(directed.sizes[order])
    at = int(np.searchsorted(reached / reached[-1], share))
    return float(directed.distances[order[min(at, len(order) - 1)]])


def _mean(pair: Pair) -> float:
    return float(sum(d.distances @ d.sizes for d in pair) / sum(d.sizes.sum() for d in pair))


def _share_within(pair: Pair, tolerance: float) -> float:
    return float(sum(d.sizes[d.distances <= tolerance].sum() for d in pair) / sum(d.sizes.sum() for d in pair))


@raters_first
def surface_distances(
    raters: Array, samples: Array, *, spacing: Sequence[float] | None = None, definition: Definition = "larger"
) -> SurfaceDistances:
    """All distances between the boundaries of the masks of R raters and of S samples, from R + S distance maps.

    The maps cover the box that holds all masks. Several measures of the same masks share them; their matrices are
    ``(S, R)``, a row for each sample.

    Args:
        raters: ``(R, H, W)`` or ``(R, D, H, W)`` bool; tensors are copied to the host.
        samples: ``(S, H, W)`` or ``(S, D, H, W)`` bool.
        spacing: mm per axis, ``(H, W)`` or ``(D, H, W)``; without it distances are in pixels.
        definition: see above.

    Raises:
        ValueError: masks that are not boolean, of different grids, or with other than two or three axes; a spacing that
            is not one positive number per axis; an unknown definition.
    """
    _validate(raters, samples, definition)
    masks = np.concatenate([to_host(samples), to_host(raters)])
    steps = steps_of(spacing, masks.ndim - 1)
    boundaries = _boundaries(_crop(masks), steps, definition)
    empty = np.array([len(points) == 0 for points in boundaries.points])
    s = len(samples)
    return SurfaceDistances(
        pairs=_pairs(boundaries, s, steps),
        one_empty=empty[:s, None] != empty[None, s:],
        diagonal=float(np.hypot.reduce(np.array(masks.shape[1:]) * steps)),
        definition=definition,
    )


def _validate(raters: Array, samples: Array, definition: Definition) -> None:
    validate_masks("raters", raters)
    validate_masks("samples", samples)
    validate_grids(raters, samples)
    if raters.ndim not in (3, 4):
        raise ValueError(f"masks must lie on a grid (H, W) or (D, H, W); got {tuple(raters.shape[1:])}")
    if definition not in get_args(Definition):
        raise ValueError(f"definition must be one of {', '.join(get_args(Definition))}; got {definition!r}")


def _crop(masks: np.ndarray) -> np.ndarray:
    """Masks ``(M, *grid)`` in the smallest box that holds them all."""
    union = np.any(masks, axis=0)
    box = []
    for axis in range(union.ndim):
        marked = np.flatnonzero(np.any(union, axis=tuple(other for other in range(union.ndim) if other != axis)))
        box.append(slice(marked[0], marked[-1] + 1) if len(marked) else slice(0))
    return masks[(slice(None), *box)]


def _boundaries(masks: np.ndarray, steps: tuple[float, ...], definition: Definition) -> Boundaries:
    return boundary_elements(masks, steps) if definition == "weighted" else boundary_pixels(masks)


def _pairs(boundaries: Boundaries, n_predicted: int, steps: tuple[float, ...]) -> dict[tuple[int, int], Pair]:
    m = len(boundaries.points)
    predicted, raters = range(n_predicted), range(n_predicted, m)
    to_raters = {r: _distances_to(boundaries, r, predicted, steps) for r in raters if len(boundaries.points[r])}
    to_predicted = {s: _distances_to(boundaries, s, raters, steps) for s in predicted if len(boundaries.points[s])}
    return {
        (s, r - n_predicted): (to_raters[r][s], to_predicted[s][r - n_predicted])
        for s in to_predicted
        for r in to_raters
    }


def _distances_to(boundaries: Boundaries, target: int, others: range, steps: tuple[float, ...]) -> list[Directed]:
    """Distances of the boundaries of the other masks to the target's, by one map."""
    from scipy.ndimage import distance_transform_edt

    off = np.ones(boundaries.lattice, bool)
    off.reshape(-1)[boundaries.points[target]] = False
    distance = distance_transform_edt(off, sampling=steps).reshape(-1)
    return [Directed(distance[boundaries.points[other]], boundaries.sizes[other]) for other in others]


@raters_first
def hd95_matrix(
    raters: Array, samples: Array, *, spacing: Sequence[float] | None = None, definition: Definition = "larger"
) -> np.ndarray:
    """``(S, R)`` :func:`hd95` of every sample with every rater, a row for each sample, from S + R distance maps.

    Arguments and errors: :func:`surface_distances`, whose ``one_empty`` counts the pairs that got the diagonal.
    """
    return surface_distances(raters, samples, spacing=spacing, definition=definition).percentile(95)


@raters_first
def nsd_matrix(
    raters: Array,
    samples: Array,
    *,
    tolerance: float,
    spacing: Sequence[float] | None = None,
    definition: Definition = "larger",
) -> np.ndarray:
    """``(S, R)`` :func:`nsd` of every sample with every rater, a row for each sample, from S + R distance maps.

    Arguments and errors: :func:`surface_distances`, and a tolerance below 0.
    """
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance must be a distance of at least 0; got {tolerance}")
    return surface_distances(raters, samples, spacing=spacing, definition=definition).nsd(tolerance)


@raters_first
def hd95(
    rater: Array, sample: Array, *, spacing: Sequence[float] | None = None, definition: Definition = "larger"
) -> float:
    """95th percentile of the Hausdorff distance of two masks, as MONAI 1.x defines it unless another is asked for.

    Args:
        rater, sample: ``(H, W)`` or ``(D, H, W)`` bool; exchanged they give the same.
        spacing: mm per axis; without it the distance is in pixels.
        definition: ``larger`` (MONAI), ``pooled`` (MedPy) or ``weighted`` (surface-distance).

    Returns:
        0 or more, lower is better. Exactly one empty mask: the diagonal of the image, sides times spacing, which no
        other pair reaches. Both empty: 0. (MONAI gives NaN, MedPy an error, surface-distance infinity.)

    Raises:
        ValueError: as :func:`surface_distances`.
    """
    return float(hd95_matrix(_alone(rater), _alone(sample), spacing=spacing, definition=definition).item())


@raters_first
def nsd(
    rater: Array,
    sample: Array,
    *,
    tolerance: float,
    spacing: Sequence[float] | None = None,
    definition: Definition = "larger",
) -> float:
    """Normalised surface Dice: the share of both boundaries that lies within a tolerance of the other (Nikolov 2021).

    Boundary pixels are counted, as MONAI does (Seidlitz et al. 2022), and under ``pooled`` alike; ``weighted`` weighs
    elements of the boundary by their length (area), as surface-distance does.

    Args:
        rater, sample: ``(H, W)`` or ``(D, H, W)`` bool; exchanged they give the same.
        tolerance: in mm, or in pixels without spacing; a distance equal to it is within.
        spacing: mm per axis.
        definition: see above.

    Returns:
        0 to 1, higher is better. Exactly one empty mask: 0. Both empty: 1 (MONAI and surface-distance give NaN).

    Raises:
        ValueError: as :func:`surface_distances`, or a tolerance below 0.
    """
    masks = _alone(rater), _alone(sample)
    return float(nsd_matrix(*masks, tolerance=tolerance, spacing=spacing, definition=definition).item())


@raters_first
def hausdorff(rater: Array, sample: Array, *, spacing: Sequence[float] | None = None) -> float:
    """Hausdorff distance of two masks: the greatest distance of a boundary pixel to the other boundary.

    Arguments, empty masks and errors: :func:`hd95`.
    """
    return float(surface_distances(_alone(rater), _alone(sample), spacing=spacing).percentile(100).item())


@raters_first
def assd(
    rater: Array, sample: Array, *, spacing: Sequence[float] | None = None, definition: Definition = "larger"
) -> float:
    """Average symmetric surface distance: mean distance of both boundaries' points to the other boundary.

    The mean is over the points of both together (Metrics Reloaded), weighted by their size under ``weighted``; MedPy
    takes the mean of the two directed means. Arguments, empty masks and errors: :func:`hd95`.
    """
    masks = _alone(rater), _alone(sample)
    return float(surface_distances(*masks, spacing=spacing, definition=definition).mean().item())


def _alone(mask: Array) -> Array:
    """``(1, *spatial)``; what is no array is left for the validation to name."""
    return mask[None] if hasattr(mask, "ndim") else mask


_MM = "in mm where the spacing is known, else in pixels"
_FACTS: Any = {"needs": "raters", "table": False}
_NSD: Any = {
    "direction": "higher",
    "range": (0.0, 1.0),
    "citation": "Nikolov 2021; Seidlitz 2022",
    "empty": "exactly one empty mask: 0, two: 1",
    **_FACTS,
}


@metric(
    "hd95",
    f"95th percentile of the distance of boundaries, of each rater's own prediction or of the consensus, {_MM}",
    direction="lower",
    range=(0.0, float("inf")),
    citation="MONAI: the larger of two directed percentiles",
    empty="exactly one empty mask: the diagonal of the image, counted beside the value of each case; two: 0",
    **_FACTS,
)
def score_hd95(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """:func:`hd95` of the rater's own prediction, mean over the rater's draws; of the consensus where there is none.

    Beside it the share of the draws whose distance is the diagonal, and whether distances are in mm.
    """
    return _of_surfaces(
        tables,
        lambda surfaces, column: [surfaces.percentile(95)[:, column].mean(), surfaces.one_empty[:, column].mean()],
    )


@metric("nsd@1", f"share of the boundaries within 1 of each other, {_MM}", **_NSD)
def score_nsd_1(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """:func:`nsd` at tolerance 1, mean over the rater's draws; beside it whether the tolerance is in mm."""
    return _of_surfaces(tables, lambda surfaces, column: [surfaces.nsd(1.0)[:, column].mean()])


@metric("nsd@2", f"share of the boundaries within 2 of each other, {_MM}", **_NSD)
def score_nsd_2(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """:func:`nsd` at tolerance 2, mean over the rater's draws; beside it whether the tolerance is in mm."""
    return _of_surfaces(tables, lambda surfaces, column: [surfaces.nsd(2.0)[:, column].mean()])


def _of_surfaces(tables: CaseTables, measure: Callable[[SurfaceDistances, int], list[float]]) -> Statistics:
    """What ``measure`` gives of each rater's own predictions, in that rater's column; nothing without stored masks."""
    if tables.bits is None:
        return {}

    def values(label: int) -> Mapping[int, np.ndarray]:
        own = own_surfaces(tables, label).items()
        return {
            rater: np.array([*measure(surfaces, column), tables.spacing is not None])
            for rater, (surfaces, column) in own
        }

    return by_rater(tables, tables.rater_rows, values)


def own_surfaces(tables: CaseTables, label: int) -> Mapping[int, tuple[SurfaceDistances, int]]:
    """For each rater the distances that the rater's own predictions take part in, and the rater's column in them.

    In mm where the spacing is known, else in pixels. Worked out once per case and class.
    """
    key = "surfaces", label
    if key not in tables.shared:
        tables.shared[key] = _own_surfaces(tables, label)
    found: Mapping[int, tuple[SurfaceDistances, int]] = tables.shared[key]
    return found


def _own_surfaces(tables: CaseTables, label: int) -> dict[int, tuple[SurfaceDistances, int]]:
    found: dict[int, tuple[SurfaceDistances, int]] = {}
    for rows, raters in _raters_by_rows(tables).items():
        predicted = tables.masks(label, np.array(rows))
        truth = tables.masks(label, tables.n_predicted + np.array(raters))
        surfaces = surface_distances(truth, predicted, spacing=tables.spacing)
        found |= {rater: (surfaces, column) for column, rater in enumerate(raters)}
    return found


def _raters_by_rows(tables: CaseTables) -> dict[tuple[int, ...], list[int]]:
    # A consensus stands in for several raters: its boundary is found once.
    groups: dict[tuple[int, ...], list[int]] = {}
    for rater in tables.truth_raters.tolist():
        rows = tuple(tables.rows_of(rater).tolist())
        if rows:
            groups.setdefault(rows, []).append(rater)
    return groups
