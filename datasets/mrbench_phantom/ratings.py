"""The nine ratings that each rater gives a lesion, named and directed as in LIDC-IDRI, all from 1 to 5."""

from collections.abc import Mapping

import numpy as np

from mrbench_phantom.noise import uniform
from mrbench_phantom.traits import Traits

NAMES = (
    "subtlety",
    "internalStructure",
    "calcification",
    "sphericity",
    "margin",
    "lobulation",
    "spiculation",
    "texture",
    "malignancy",
)


def rate(traits: Traits, rng: np.random.Generator) -> np.ndarray:
    """``(9,)`` whole numbers 1..5 in the order of :data:`NAMES`: one rater's opinion of a lesion.

    As in LIDC-IDRI 5 means obvious (subtlety), not calcified, round, sharp (margin), solid (texture), and marked or
    suspicious for the others. Opinions scatter most where a border is ill-defined.
    """
    truth = _truth(traits)
    scatter = np.array([0.5 + (1 - traits.margin) * (1.2 if name == "margin" else 0.2) for name in NAMES])
    noise = uniform(rng, len(NAMES), low=-1.0, high=1.0) + uniform(rng, len(NAMES), low=-1.0, high=1.0)
    values = 1 + 4 * np.array([truth[name] for name in NAMES]) + scatter * noise
    return np.clip(np.floor(values + 0.5), 1, 5)


def _truth(traits: Traits) -> Mapping[str, float]:
    return {
        "subtlety": traits.subtlety,
        "internalStructure": traits.cavity,
        "calcification": 1 - traits.calcification,
        "sphericity": traits.roundness,
        "margin": 0.3 + 0.7 * traits.margin,
        "lobulation": traits.lobulation,
        "spiculation": traits.spiculation,
        "texture": 1 - traits.glass,
        "malignancy": traits.malignancy,
    }
