"""Are the sampled areas those of the raters? Continuous ranked probability score of the area."""

from collections.abc import Sequence
from math import prod

import numpy as np

from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.metric import Statistics, metric
from mrbench.metrics.arrays import Array, areas
from mrbench.metrics.keyed import by_class
from mrbench.metrics.order import raters_first
from mrbench.metrics.overlap import validate_grids, validate_masks
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.spacing import steps_of


def crps_of(samples: np.ndarray, raters: np.ndarray) -> float:
    """CRPS from areas ``(S,)`` and ``(R,)``, int64: mean over the raters of E|X - y| - E|X - X'| / 2."""
    to_raters = np.abs(samples[:, None] - raters[None]).mean()
    s = len(samples)
    # Of the sorted areas, the i-th is the larger one of 2i - s + 1 more pairs than it is the smaller one of.
    among = 2 * (np.sort(samples) @ (2 * np.arange(s) - s + 1)) / s**2
    return float(to_raters - among / 2)


@raters_first
def crps_area(raters: Array, samples: Array, *, spacing: Sequence[float] | None = None) -> float:
    """Continuous ranked probability score of the areas (volumes) of the samples against those of the raters.

    E|X - y| - E|X - X'| / 2 (Gneiting and Raftery 2007, eq. 21) of the empirical distribution of the samples, a sample
    paired with itself included, mean over the raters. One sample: the mean absolute error of its area.

    Args:
        raters: ``(R, *spatial)`` bool, the raters who are present.
        samples: ``(S, *spatial)`` bool; an empty mask has area 0.
        spacing: mm per axis of ``*spatial``.

    Returns:
        0 or more, lower is better, in mm^2 (mm^3); in pixels (voxels) without spacing.

    Raises:
        ValueError: masks that are not boolean, or of different grids; a spacing that is not a number per axis.
    """
    validate_masks("raters", raters)
    validate_masks("samples", samples)
    validate_grids(raters, samples)
    return crps_of(areas(samples), areas(raters)) * prod(steps_of(spacing, samples.ndim - 1))


@metric(
    "crps_area",
    "continuous ranked probability score of the samples' areas against the raters', in pixels",
    direction="lower",
    range=(0.0, float("inf")),
    needs="samples",
    table=False,
    citation="Gneiting and Raftery 2007",
    empty="an empty mask has area 0",
)
def score_crps_area(tables: CaseTables, protocol: ScoringProtocol) -> Statistics:  # noqa: ARG001
    """Mean over r of E|X - area of r| - E|X - X'| / 2, X the area of a sample (Gneiting and Raftery 2007, eq. 21)."""

    def value(label: int) -> float:
        own = tables.areas[label - 1]
        return crps_of(own[tables.sample_rows], own[tables.truth_rows])

    return by_class(tables, tables.sample_rows, value)
