"""Where the predictions of a case have to lie."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mrbench.data.case import Case
from mrbench.data.geometry import Geometry, stored_geometry


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid of a case's masks.

    Attributes:
        spatial: (H, W) or (D, H, W).
        spacing: mm per axis of ``spatial``, or None where unknown.
        geometry: of the array; None where the data set does not know its directions.
    """

    spatial: tuple[int, ...]
    spacing: tuple[float, ...] | None = None
    geometry: Geometry | None = None

    @classmethod
    def of(cls, case: Case) -> Self:
        """That of a case."""
        spatial = case.masks.shape[1:]
        return cls(spatial, case.spacing, stored_geometry(case.metadata, spatial))

    @property
    def exported(self) -> Geometry:
        """What ``mrbench export`` writes: the geometry, or spacings along x, y, z from 0 where there is none."""
        if self.geometry is not None:
            return self.geometry
        depth, height, width = (*(1,) * (3 - len(self.spatial)), *self.spatial)
        steps = (*(self.spacing or (1.0,) * len(self.spatial))[::-1], 1.0)[:3]
        return Geometry(np.diag([*steps, 1.0]), (width, height, depth))
