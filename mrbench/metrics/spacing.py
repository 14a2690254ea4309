"""The size of a pixel."""

from collections.abc import Sequence
from math import isfinite

import numpy as np


def steps_of(spacing: Sequence[float] | None, axes: int) -> tuple[float, ...]:
    """mm per axis; 1 each without a spacing, so that results are in pixels.

    Raises:
        ValueError: not one positive number per axis.
    """
    if spacing is None:
        return (1.0,) * axes
    steps = tuple(np.ravel(spacing).astype(float).tolist())
    if len(steps) != axes or not all(step > 0 and isfinite(step) for step in steps):
        raise ValueError(f"spacing must be {axes} positive numbers, one per axis; got {steps}")
    return steps
