"""Where a subject's pixels lie."""

from dataclasses import dataclass

import numpy as np

from mrbench_phantom.geometry import Points

FIELD_OF_VIEW = 44.8
"""Side of a slice in mm: 0.7 mm per pixel at the default size."""

FINEST = 0.25
"""Slice distances are multiples of this, in mm."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Pixel centres of D square slices in mm; the origin is the middle of the stack.

    Attributes:
        z: (D,) positions of the slices.
        y: (H,) positions of the rows; the columns are the same.
        distance: mm between slices.
    """

    z: np.ndarray
    y: np.ndarray
    distance: float

    @classmethod
    def across(cls, radius: float, *, slices: int, size: int) -> "Grid":
        """A stack through a lesion of ``radius`` mm such that every slice meets it."""
        distance = max(FINEST, FINEST * int(1.25 * radius / slices / FINEST))
        z = (np.arange(slices) - (slices - 1) / 2) * distance
        return cls(z, (np.arange(size) + 0.5) * (FIELD_OF_VIEW / size) - FIELD_OF_VIEW / 2, distance)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(D, H, W)."""
        return len(self.z), len(self.y), len(self.y)

    @property
    def points(self) -> Points:
        """z, y and x, each ready to broadcast to ``(D, H, W)``."""
        return self.z[:, None, None], self.y[None, :, None], self.y[None, None, :]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """mm per axis."""
        return self.distance, FIELD_OF_VIEW / len(self.y), FIELD_OF_VIEW / len(self.y)
