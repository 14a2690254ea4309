"""One subject: the slices of one lesion with every rater's masks and ratings."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mrbench.seeds import derive_noise
from mrbench_phantom.anatomy import make_wall, render
from mrbench_phantom.config import PhantomConfig
from mrbench_phantom.grid import Grid
from mrbench_phantom.lesion import Lesion, make_lesion
from mrbench_phantom.noise import uniform
from mrbench_phantom.raters import STYLES, mark, scaled
from mrbench_phantom.ratings import rate
from mrbench_phantom.traits import Traits, draw_traits


@dataclass(frozen=True, eq=False)
class Scene:
    """The truth behind a subject's slices: what no rater and no method sees.

    Attributes:
        traits: the lesion's properties.
        grid: where the pixels lie.
        wall: (D, H, W) distance to the chest wall in mm.
        lesion: its shapes.
    """

    traits: Traits
    grid: Grid
    wall: np.ndarray
    lesion: Lesion


@dataclass(frozen=True, eq=False)
class Subject:
    """What a subject's files would hold.

    Attributes:
        name: e.g. ``subject-007``.
        image: (D, H, W) uint8.
        masks: (R, D, H, W) uint8, 0 or 1.
        ratings: (R, 9) 1..5.
        spacing: mm per axis (z, y, x).
    """

    name: str
    image: np.ndarray
    masks: np.ndarray
    ratings: np.ndarray
    spacing: tuple[float, float, float]


def make_scene(config: PhantomConfig, number: int) -> Scene:
    """The lesion and its place; depends on the subject's number, the seed, the size and the slices alone."""
    rng = _noise(config, number, "lesion")
    traits = draw_traits(rng)
    slices = max(1, config.slices + int(3 * float(uniform(rng, 1)[0])) - 1)
    grid = Grid.across(traits.radius, slices=slices, size=config.size)
    wall = make_wall(traits, grid, rng)
    return Scene(traits, grid, wall, make_lesion(traits, grid, wall, rng))


def make_subject(config: PhantomConfig, number: int) -> Subject:
    """The subject of that number, whatever other subjects there are."""
    scene = make_scene(config, number)
    traits, lesion = scene.traits, scene.lesion
    image = render(lesion.opacity(), lesion.calcium, scene.wall, traits, scene.grid, _noise(config, number, "image"))
    styles = [scaled(style, config.style_scale) for style in STYLES[: config.raters]]
    masks = [mark(lesion, traits, style, scene.grid, _noise(config, number, style.name, "mask")) for style in styles]
    ratings = [rate(traits, _noise(config, number, style.name, "ratings")) for style in styles]
    name = f"subject-{number:03d}"
    return Subject(name, image, np.stack(masks).astype(np.uint8), np.stack(ratings), scene.grid.spacing)


def mark_again(config: PhantomConfig, number: int, rater: int, noise: np.random.Generator) -> np.ndarray:
    """``(D, H, W)`` bool: a new mask of a rater of the subject of that number: the same style, new noise."""
    scene = _scene_again(config, number)
    return mark(scene.lesion, scene.traits, scaled(STYLES[rater], config.style_scale), scene.grid, noise)


_scene_again = lru_cache(maxsize=2)(make_scene)
"""Raters are asked again of one subject many times, slice by slice."""


def _noise(config: PhantomConfig, number: int, *purpose: str) -> np.random.Generator:
    return derive_noise(config.seed, "phantom", number, *purpose)
