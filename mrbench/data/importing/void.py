"""Void pixels of an import: what one rater could not or would not judge counts for nobody."""

import numpy as np


def judged(labels: np.ndarray, void: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Labels with 0 for the void value, and where they are judged, of the same shape or one ``True`` for all."""
    if void is None:
        return labels, np.array(True)
    valid = labels != void
    return labels * valid, valid
