"""The raters: what each of them takes for lesion, how steadily, and when they see nothing."""

from dataclasses import dataclass, fields
from math import fsum

import numpy as np

from mrbench_phantom.geometry import edge
from mrbench_phantom.grid import Grid
from mrbench_phantom.lesion import Lesion
from mrbench_phantom.noise import smooth_field, uniform
from mrbench_phantom.traits import Traits


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one rater draws, in every case.

    Attributes:
        name: of the rater.
        threshold: opacity from which a pixel is lesion.
        outset: mm by which the rater stays outside the border that they see.
        rounding: 0 follows the lobes, 1 draws the simple shape that fills between them.
        spicules: share of the spicules' opacity that the rater perceives.
        glass: share of the ground glass's opacity that the rater perceives.
        doubt: probability of taking a doubtful neighbour for a part of the lesion.
        open_cavity: share of a cavity's darkness that the rater perceives, and so leaves out.
    """

    name: str
    threshold: float
    outset: float = 0.0
    rounding: float = 0.0
    spicules: float = 0.0
    glass: float = 0.3
    doubt: float = 0.4
    open_cavity: float = 0.0


STYLES = (
    Style(name="tight", threshold=0.7, doubt=0.1, open_cavity=1.0),
    Style(name="generous", threshold=0.17, outset=0.3, glass=0.2, spicules=1.0, doubt=0.85),
    Style(name="smooth", threshold=0.5, rounding=1.0, doubt=0.25),
    Style(name="halo", threshold=0.5, glass=1.7, spicules=1.0, doubt=0.7),
    Style(name="middle", threshold=0.5),
    Style(name="tight-smooth", threshold=0.75, rounding=1.0, glass=0.0, doubt=0.05),
    Style(name="generous-halo", threshold=0.25, outset=0.3, glass=1.7, spicules=1.0, doubt=0.9),
    Style(name="tight-spiky", threshold=0.7, spicules=1.0, glass=0.0, doubt=0.15),
)
"""In the order in which raters join."""

HABITS = tuple(field.name for field in fields(Style) if field.name != "name")
"""What a style consists of, all of them numbers."""

MEAN = {habit: fsum(getattr(style, habit) for style in STYLES) / len(STYLES) for habit in HABITS}
"""Of all raters that there may be, so that a rater stays the same when more are asked for."""

CELL = 5.0
"""mm between the knots of a rater's wobble."""


def scaled(style: Style, scale: float) -> Style:
    """A style whose departures from the mean are multiplied by ``scale``, 0 to 1; with 1 the same to the bit."""
    return Style(
        name=style.name, **{habit: (1 - scale) * MEAN[habit] + scale * getattr(style, habit) for habit in HABITS}
    )


def noise_free(lesion: Lesion, style: Style) -> np.ndarray:
    """``(D, H, W)`` bool: what the style alone marks."""
    return _outline(lesion, style, np.zeros(()), style.doubt > 0.5)


def mark(lesion: Lesion, traits: Traits, style: Style, grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """``(D, H, W)`` bool: what a rater marks; all False in slices where the lesion went unseen."""
    steady, joins = (float(value) for value in uniform(rng, 2))
    wobble = smooth_field(rng, grid.z, grid.y, grid.y, cell=CELL) * wobble_width(traits)
    drift = (2 * steady - 1) * (0.05 + 0.15 * lesion.softness)
    marked = _outline(lesion, style, wobble + drift, joins < style.doubt)
    return marked & _seen(marked, traits, rng)


def wobble_width(traits: Traits) -> float:
    """Standard deviation in mm of a rater's contour: wide where the border is soft or faint, narrow on calcium."""
    width = 0.04 + 0.1 * traits.softness + 0.28 * (1 - traits.subtlety)
    return width * (1 - 0.5 * traits.calcification)


def _outline(lesion: Lesion, style: Style, wobble: np.ndarray, takes_satellite: bool) -> np.ndarray:
    surface = lesion.body + style.rounding * (lesion.rounded - lesion.body) + wobble - style.outset
    solid = np.maximum(edge(surface, lesion.softness), style.spicules * lesion.spicules)
    glass = style.glass * lesion.halo_opacity * edge(surface - lesion.halo_width, lesion.softness)
    perceived = np.maximum(solid, glass)
    if takes_satellite and lesion.satellite_opacity:
        perceived = np.maximum(perceived, edge(lesion.satellite + wobble, lesion.softness))
    return perceived * (1 - style.open_cavity * lesion.cavity) > style.threshold


def _seen(marked: np.ndarray, traits: Traits, rng: np.random.Generator) -> np.ndarray:
    # (D, 1, 1): barely visible lesions are missed, most often in their smallest slices.
    area = marked.sum(axis=(1, 2), keepdims=True)
    share = area / max(int(area.max()), 1)
    chance = max(0.0, 0.3 - traits.subtlety) * (1.15 - share)
    return uniform(rng, len(marked), 1, 1) >= chance
