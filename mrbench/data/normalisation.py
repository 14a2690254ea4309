"""From an image as stored to what methods see."""

import numpy as np

from mrbench.data.description import Normalisation


def normalise(image: np.ndarray, how: Normalisation) -> np.ndarray:
    """``(C, *spatial)`` float32 from an image as stored; a constant channel's z-score is 0."""
    array = image.astype(np.float32)
    if how == "byte":
        return array / np.float32(255)
    if how == "z-score":
        axes = tuple(range(1, array.ndim))
        spread = array.std(axis=axes, keepdims=True)
        return (array - array.mean(axis=axes, keepdims=True)) / np.where(spread > 0, spread, 1)
    return array
