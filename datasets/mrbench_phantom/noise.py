"""Random numbers and random fields that are the same bits on every machine.

Only the raw integers of the bit generator are used, whose stream NumPy guarantees, and of floating-point operations
only ``+ - * /`` and the square root, which IEEE 754 rounds exactly; no sum whose order a library may choose.
"""

from math import prod

import numpy as np

SPLINE_SPREAD = 0.2355
"""Standard deviation of a quadratic spline through uniform numbers of [-1, 1] on a 3-D lattice."""

GRAIN_SPREAD = 65536 * 0.57735
"""Standard deviation of the sum of four uniform 16-bit integers."""


def uniform(rng: np.random.Generator, *shape: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """``shape`` float64 in [low, high), from the upper 53 bits of the raw stream."""
    raw = np.asarray(rng.bit_generator.random_raw(prod(shape)), dtype=np.uint64)
    unit = (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return (low + (high - low) * unit).reshape(shape)


def directions(rng: np.random.Generator, n: int, axes: int) -> np.ndarray:
    """``(n, axes)`` unit vectors; a cube's corners are a little favoured, which spares the sine."""
    vectors = uniform(rng, n, axes, low=-1.0, high=1.0) + 1e-3
    return vectors / np.sqrt(sum(vectors[:, i] * vectors[:, i] for i in range(axes)))[:, None]


def smooth_field(rng: np.random.Generator, z: np.ndarray, y: np.ndarray, x: np.ndarray, *, cell: float) -> np.ndarray:
    """``(D, H, W)`` smooth noise of about zero mean and unit variance.

    Args:
        z, y, x: (D,), (H,), (W,) positions in mm.
        cell: mm between the knots; the bumps are about twice as wide.
    """
    knots = [_knots(positions, cell) for positions in (z, y, x)]
    field = uniform(rng, *(int(first.max()) + 3 for first, _ in knots), low=-1.0, high=1.0)
    for axis, (first, weights) in enumerate(knots):
        field = _interpolate(field, first, weights, axis)
    return field / SPLINE_SPREAD


def _knots(positions: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    # The quadratic B-spline's three weights at each position and the first knot that they belong to.
    steps = (positions - positions[0]) / cell
    first = np.floor(steps).astype(np.intp)
    t = steps - first
    return first, np.stack([0.5 * (1 - t) * (1 - t), 0.5 + t * (1 - t), 0.5 * t * t])


def _interpolate(field: np.ndarray, first: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    shape = [1] * field.ndim
    shape[axis] = len(first)
    terms = [field.take(first + k, axis=axis) * weights[k].reshape(shape) for k in range(3)]
    return (terms[0] + terms[1]) + terms[2]


def grain(rng: np.random.Generator, depth: int, height: int, width: int) -> np.ndarray:
    """``(D, H, W)`` pixel noise of zero mean and unit variance, correlated over about two pixels as in CT."""
    raw = np.asarray(rng.bit_generator.random_raw(depth * (height + 2) * (width + 2)), dtype="<u8")
    white = raw.view("<u2").reshape(depth, height + 2, width + 2, 4).astype(np.int64).sum(axis=-1) - 2 * 65535
    rows = white[:, :-2] + 2 * white[:, 1:-1] + white[:, 2:]
    mixed = rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    return mixed / (6 * GRAIN_SPREAD)
