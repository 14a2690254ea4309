"""Test-time augmentation: one training asked for an image's flips and quarter turns."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from mrbench.interfaces.wrapper import View, Wrapper
from mrbench_wrappers.config import AugmentationConfig


class TestTimeAugmentation(Wrapper[AugmentationConfig]):
    """The symmetries of the grid: 8 of a square image, 4 of any other; slices of volumes are treated as images."""

    def views(self, shape: tuple[int, ...]) -> Sequence[View]:
        """Turns by 0 to 3 quarters (0 and 2 where it is not square), each as it is and mirrored; the first is none."""
        turns = range(0, 4, 1 if shape[-1] == shape[-2] else 2)
        return [
            View(forward=partial(_turned, n, mirrored), back=partial(_turned_back, n, mirrored))
            for mirrored in (False, True)
            for n in turns
        ]


def _turned(turns: int, mirrored: bool, array: np.ndarray) -> np.ndarray:
    turned = np.rot90(array, turns, axes=(-2, -1))
    return turned[..., ::-1] if mirrored else turned


def _turned_back(turns: int, mirrored: bool, array: np.ndarray) -> np.ndarray:
    plain = array[..., ::-1] if mirrored else array
    return np.rot90(plain, -turns, axes=(-2, -1))
