"""What a lesion is like: the latent properties that drive its look, the raters' disagreement and their ratings."""

from dataclasses import dataclass

import numpy as np

from mrbench_phantom.noise import uniform

SOLID_SHARE = 0.4
"""Share of the lesions without any ground glass."""


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Of one lesion; all but the radius in [0, 1].

    Attributes:
        radius: mm.
        subtlety: 0 barely visible, 1 obvious.
        margin: 0 poorly defined, 1 sharp.
        roundness: 0 elongated, 1 round.
        lobulation, spiculation: 0 none, 1 marked.
        glass: 0 solid, 1 mostly ground glass.
        cavity: 0 uniform inside, 1 a large dark cavity.
        calcification: 0 none, 1 dense.
    """

    radius: float
    subtlety: float
    margin: float
    roundness: float
    lobulation: float
    spiculation: float
    glass: float
    cavity: float
    calcification: float

    @property
    def softness(self) -> float:
        """Half the width of the border in mm; calcified lesions end more sharply."""
        return 0.4 + self.radius * 0.52 * (1 - self.margin) * (1 - 0.4 * self.calcification)

    @property
    def malignancy(self) -> float:
        """0 to 1: spiculated, lobulated, part-solid and large lesions are suspicious, calcified ones are not."""
        suspicion = 0.1 + 0.3 * self.spiculation + 0.2 * self.lobulation + 0.2 * self.glass + 0.04 * self.radius
        return max(0.0, min(1.0, suspicion - 0.4 * self.calcification))


def draw_traits(rng: np.random.Generator) -> Traits:
    """One lesion; its properties are independent."""
    u = [float(value) for value in uniform(rng, 9)]
    return Traits(
        radius=4.6 + 4.4 * u[0],
        subtlety=u[1],
        margin=u[2],
        roundness=u[3],
        lobulation=u[4],
        spiculation=_beyond(u[5], 0.4),
        glass=_beyond(u[6], SOLID_SHARE),
        cavity=_beyond(u[7], 0.8),
        calcification=_beyond(u[8], 0.8),
    )


def _beyond(value: float, share: float) -> float:
    # Zero in `share` of the lesions, evenly spread over the rest.
    return max(0.0, (value - share) / (1 - share))
