"""Signed distances in mm, negative inside, and what is made of them; ``points`` are ``(z, y, x)`` in mm."""

import numpy as np

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
"""z ``(D, 1, 1)``, y ``(1, H, 1)``, x ``(1, 1, W)`` or anything that broadcasts with them."""


def ball(points: Points, centre: np.ndarray, radius: float) -> np.ndarray:
    """``(D, H, W)`` distance to a ball around ``centre`` (3,)."""
    z, y, x = (p - c for p, c in zip(points, centre, strict=True))
    return np.sqrt(z * z + y * y + x * x) - radius


def ellipsoid(points: Points, radii: np.ndarray) -> np.ndarray:
    """``(D, H, W)`` distance, to first order, to an ellipsoid around the origin with ``radii`` (3,) along the axes."""
    z, y, x = (p / r for p, r in zip(points, radii, strict=True))
    level = np.sqrt(z * z + y * y + x * x) + 1e-9
    z, y, x = z / radii[0], y / radii[1], x / radii[2]
    slope = np.sqrt(z * z + y * y + x * x) + 1e-9
    return level * (level - 1) / slope


def spike(points: Points, direction: np.ndarray, length: float, radius: float) -> np.ndarray:
    """``(D, H, W)`` distance to a spike from the origin along the unit vector ``direction`` (3,).

    It is ``radius`` mm thick at the origin and ends in a point after ``length`` mm.
    """
    z, y, x = points
    along = np.clip(z * direction[0] + y * direction[1] + x * direction[2], 0, length)
    z, y, x = (p - along * d for p, d in zip(points, direction, strict=True))
    return np.sqrt(z * z + y * y + x * x) - radius * (1 - along / length)


def line(points: Points, through: np.ndarray, direction: np.ndarray, radius: float) -> np.ndarray:
    """``(D, H, W)`` distance to an endless tube ``through`` a point (3,) along a unit vector (3,)."""
    z, y, x = (p - c for p, c in zip(points, through, strict=True))
    along = z * direction[0] + y * direction[1] + x * direction[2]
    return np.sqrt(np.maximum(z * z + y * y + x * x - along * along, 0)) - radius


def join(first: np.ndarray, second: np.ndarray, blend: float) -> np.ndarray:
    """Union of two shapes whose seam is rounded over ``blend`` mm (the polynomial smooth minimum)."""
    overlap = np.maximum(blend - np.abs(first - second), 0)
    return np.minimum(first, second) - overlap * overlap / (4 * blend)


def edge(distance: np.ndarray, half_width: float) -> np.ndarray:
    """Opacity of a soft border: 1 from ``half_width`` mm inside, 0 from ``half_width`` mm outside, 1/2 on it."""
    t = np.clip(0.5 - distance / (2 * half_width), 0, 1)
    return t * t * (3 - 2 * t)
