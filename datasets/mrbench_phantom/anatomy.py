"""What surrounds the lesion: lung texture, vessels and the chest wall; grey values from 0 to 1."""

import numpy as np

from mrbench_phantom.geometry import edge, line
from mrbench_phantom.grid import Grid
from mrbench_phantom.noise import directions, grain, smooth_field, uniform
from mrbench_phantom.traits import Traits

LUNG, VESSEL, WALL, BONE = 0.17, 0.6, 0.62, 0.88
"""Grey values of the tissues; a solid lesion lies between lung and vessel or above."""

LUNG_RADIUS = 60.0
"""Radius in mm of the curve that the chest wall follows."""

WALL_SHARE = 0.4
"""Share of the subjects whose lesion lies near the wall."""


def make_wall(traits: Traits, grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """``(D, H, W)`` distance in mm to the chest wall, negative inside it; far away in most subjects."""
    draw = [float(value) for value in uniform(rng, 2)]
    out = directions(rng, 1, 2)[0]
    if draw[0] >= WALL_SHARE:
        return np.full(grid.shape, LUNG_RADIUS)
    z, y, x = grid.points
    middle = (traits.radius + 3 + 10 * draw[1] - LUNG_RADIUS) * out
    return LUNG_RADIUS - np.sqrt((y - middle[0]) * (y - middle[0]) + (x - middle[1]) * (x - middle[1])) + 0.15 * z


def render(
    lesion: np.ndarray, calcium: np.ndarray, wall: np.ndarray, traits: Traits, grid: Grid, rng: np.random.Generator
) -> np.ndarray:
    """``(D, H, W)`` uint8 image of a lesion's opacity in its surroundings."""
    texture = smooth_field(rng, grid.z, grid.y, grid.y, cell=1.3)
    clouds = smooth_field(rng, grid.z, grid.y, grid.y, cell=6.0)
    scene = LUNG + 0.028 * texture + 0.035 * clouds
    scene = np.maximum(scene, LUNG + (VESSEL - LUNG) * _vessels(traits, grid, rng))
    scene = scene + lesion * np.maximum(_lesion_grey(traits) + 0.02 * texture - scene, 0)
    scene = scene + (BONE - scene) * calcium * lesion
    scene = scene + (_wall_grey(wall, texture, clouds) - scene) * edge(wall, 0.6)
    noisy = scene + 0.048 * grain(rng, *grid.shape)
    return np.floor(np.clip(noisy, 0, 1) * 255 + 0.5).astype(np.uint8)


def _lesion_grey(traits: Traits) -> float:
    return LUNG + 0.15 + 0.36 * traits.subtlety


def _vessels(traits: Traits, grid: Grid, rng: np.random.Generator) -> np.ndarray:
    # Every tube passes the middle at a chosen distance, so that none hides the lesion; the first may touch it.
    z, y, x = grid.points
    warp = [smooth_field(rng, grid.z, grid.y, grid.y, cell=7.0) * 1.5 for _ in range(2)]
    points = (z, y + warp[0], x + warp[1])
    along, aside = directions(rng, 8, 3), directions(rng, 8, 3)
    passing = traits.radius * 1.1 + uniform(rng, 8, low=2.5, high=15.0)
    passing[0] = traits.radius * 0.9 + 1
    opacity = np.zeros(grid.shape)
    for direction, side, distance, radius in zip(
        along, aside, passing, uniform(rng, 8, low=0.5, high=1.6), strict=True
    ):
        through = _perpendicular(side, direction) * distance
        opacity = np.maximum(opacity, edge(line(points, through, direction, float(radius)), 0.7))
    return opacity


def _perpendicular(vector: np.ndarray, to: np.ndarray) -> np.ndarray:
    along = vector[0] * to[0] + vector[1] * to[1] + vector[2] * to[2]
    rest = vector - along * to
    return rest / np.sqrt(rest[0] * rest[0] + rest[1] * rest[1] + rest[2] * rest[2] + 1e-12)


def _wall_grey(wall: np.ndarray, texture: np.ndarray, clouds: np.ndarray) -> np.ndarray:
    # Muscle, then a rib, then fat, going outwards.
    rib = edge(np.abs(wall + 5.5) - 1.5 - 1.5 * clouds, 0.7)
    fat = edge(wall + 10, 1.0)
    return WALL + 0.02 * texture + (BONE - WALL) * rib - 0.25 * fat
