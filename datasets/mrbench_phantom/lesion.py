"""The lesion: shapes as signed distances, and their opacity in the image."""

from dataclasses import dataclass

import numpy as np

from mrbench_phantom.geometry import Points, ball, edge, ellipsoid, join, spike
from mrbench_phantom.grid import Grid
from mrbench_phantom.noise import directions, smooth_field, uniform
from mrbench_phantom.traits import Traits

COMPASS = np.array([(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)], dtype=np.float64)
"""Eight directions (y, x), not of unit length."""

SPIKE_EDGE = 0.6
"""Half the width of a spicule's border in mm."""


@dataclass(frozen=True, eq=False)
class Lesion:
    """One lesion on its grid.

    Attributes:
        body: (D, H, W) distance in mm to the lobulated surface, without spicules.
        rounded: (D, H, W) distance to the simple shape that fills between the lobes.
        spicules: (D, H, W) opacity of the spicules.
        cavity, calcium: (D, H, W) opacity of what lies inside.
        satellite: (D, H, W) distance to a faint blob beside the lesion that may or may not belong to it.
        satellite_opacity: 0 where there is none.
        halo_width: mm of ground glass beyond the surface; 0 in a solid lesion.
        halo_opacity: of the ground glass.
        softness: half the width of the border in mm.
    """

    body: np.ndarray
    rounded: np.ndarray
    spicules: np.ndarray
    cavity: np.ndarray
    calcium: np.ndarray
    satellite: np.ndarray
    satellite_opacity: float
    halo_width: float
    halo_opacity: float
    softness: float

    def opacity(self) -> np.ndarray:
        """``(D, H, W)`` how much of each pixel is lesion, from 0 to 1."""
        solid = np.maximum(edge(self.body, self.softness), self.spicules)
        glass = self.halo_opacity * edge(self.body - self.halo_width, self.softness)
        beside = self.satellite_opacity * edge(self.satellite, self.softness)
        return np.maximum(np.maximum(solid, glass), beside) * (1 - self.cavity)


def make_lesion(traits: Traits, grid: Grid, wall: np.ndarray, rng: np.random.Generator) -> Lesion:
    """Draws a lesion with these traits; it ends where the chest ``wall`` (D, H, W), a distance in mm, begins."""
    points = _turned(_bent(grid, traits, rng), rng)
    radii = _radii(traits)
    core = ellipsoid(points, radii)
    ripple = smooth_field(rng, grid.z, grid.y, grid.y, cell=2.2) * (0.025 * traits.radius)
    body = _lobulated(core, points, radii, traits, rng) + ripple
    inside = _inside(points, traits, rng)
    return Lesion(
        body=np.maximum(body, -wall),
        rounded=np.maximum(_rounded(core, points, traits), -wall),
        spicules=_spicules(points, traits, rng) * edge(-wall, SPIKE_EDGE),
        cavity=inside[0],
        calcium=inside[1],
        satellite=np.maximum(_satellite(points, radii, traits, rng), -wall),
        satellite_opacity=_satellite_opacity(traits, rng),
        halo_width=0.45 * traits.glass * traits.radius,
        halo_opacity=0.5 if traits.glass > 0 else 0.0,
        softness=traits.softness,
    )


def _bent(grid: Grid, traits: Traits, rng: np.random.Generator) -> Points:
    # Off the middle of the slice, leaning with z, and bent by a slow warp of the coordinates.
    z, y, x = grid.points
    offset, lean = uniform(rng, 2, low=-4.0, high=4.0), uniform(rng, 2, low=-0.4, high=0.4)
    warp = [smooth_field(rng, grid.z, grid.y, grid.y, cell=6.0) * (0.05 * traits.radius) for _ in range(2)]
    return z, y - offset[0] - lean[0] * z + warp[0], x - offset[1] - lean[1] * z + warp[1]


def _turned(points: Points, rng: np.random.Generator) -> Points:
    z, y, x = points
    cosine, sine = directions(rng, 1, 2)[0]
    return z, cosine * y - sine * x, sine * y + cosine * x


def _radii(traits: Traits) -> np.ndarray:
    stretch = 1 + 0.35 * (1 - traits.roundness)
    return np.array([1.0, stretch, 1 / stretch]) * traits.radius


def _around(n: int, radii: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # (n, 3) points on the ellipsoid near its equator, spread over the compass in random order.
    order = np.argsort(uniform(rng, len(COMPASS)))[:n]
    flat = COMPASS[order] + uniform(rng, n, 2, low=-0.35, high=0.35)
    flat = flat / np.sqrt(flat[:, :1] * flat[:, :1] + flat[:, 1:] * flat[:, 1:])
    return np.concatenate([uniform(rng, n, 1, low=-0.5, high=0.5), flat], axis=1) * radii


def _lobulated(
    core: np.ndarray, points: Points, radii: np.ndarray, traits: Traits, rng: np.random.Generator
) -> np.ndarray:
    shape = core + 0.12 * traits.lobulation * traits.radius
    sizes = uniform(rng, 5, low=0.25, high=0.45) * (traits.lobulation * traits.radius)
    for centre, size in zip(_around(5, 0.8 * radii, rng), sizes, strict=True):
        shape = join(shape, ball(points, centre, float(size)), 0.2 * traits.radius)
    return shape


def _rounded(core: np.ndarray, points: Points, traits: Traits) -> np.ndarray:
    # Half way to a ball, and far enough out to fill most of the bays.
    plain = ball(points, np.zeros(3), traits.radius)
    return 0.5 * core + 0.5 * plain - 0.08 * traits.lobulation * traits.radius


def _spicules(points: Points, traits: Traits, rng: np.random.Generator) -> np.ndarray:
    tips = _around(7, np.ones(3), rng)
    reach = uniform(rng, 7, low=1.3, high=2.0)
    tips[:, 0] *= 0.5
    opacity = np.zeros(np.broadcast_shapes(*(p.shape for p in points)))
    for tip, length in list(zip(tips, reach, strict=True))[: int(traits.spiculation * 7.99)]:
        direction = tip / np.sqrt(tip[0] * tip[0] + tip[1] * tip[1] + tip[2] * tip[2])
        distance = spike(points, direction, float(length) * traits.radius, 2.0)
        opacity = np.maximum(opacity, edge(distance, SPIKE_EDGE))
    return 0.8 * opacity


def _inside(points: Points, traits: Traits, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    places = uniform(rng, 2, 3, low=-0.3, high=0.3) * traits.radius
    sizes = (0.2 + 0.2 * traits.cavity) * traits.radius, (0.12 + 0.2 * traits.calcification) * traits.radius
    cavity, calcium = (edge(ball(points, place, size), 0.7) for place, size in zip(places, sizes, strict=True))
    return 0.85 * cavity * (traits.cavity > 0), calcium * (traits.calcification > 0)


def _satellite(points: Points, radii: np.ndarray, traits: Traits, rng: np.random.Generator) -> np.ndarray:
    place = _around(1, 1.15 * radii, rng)[0]
    return ball(points, place, 0.4 * traits.radius)


def _satellite_opacity(traits: Traits, rng: np.random.Generator) -> float:
    # Ill-defined lesions are the ones with something doubtful beside them.
    return 0.6 if float(uniform(rng, 1)[0]) < 0.7 * (1 - traits.margin) else 0.0
