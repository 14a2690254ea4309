"""Void pixels in pictures: diagonal lines of two greys in place of the image."""

import numpy as np

GREYS = (72, 168)
WIDTH = 2
"""Pixels of a line."""


def hatched(grey: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """Grey values ``(*spatial)`` uint8 with lines where ``(*spatial)`` bool does not hold; None: as they are."""
    if valid is None:
        return grey
    rows, columns = np.indices(grey.shape[-2:])
    return np.where(valid, grey, np.choose((rows + columns) // WIDTH % 2, np.array(GREYS, np.uint8)))
