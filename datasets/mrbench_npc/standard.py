"""Zero mean and unit variance of a volume, for the volume and for slices of it that lie in files of their own."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and spread of each channel of a volume, each ``(C, 1, 1, 1)`` float32."""

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, volume: np.ndarray) -> "Scale":
        """That of ``(C, D, H, W)``; a constant channel is divided by 1."""
        axes = (1, 2, 3)
        spread = volume.std(axis=axes, keepdims=True)
        return cls(volume.mean(axis=axes, keepdims=True), np.where(spread > 0, spread, 1).astype(np.float32))

    def apply(self, image: np.ndarray) -> np.ndarray:
        """``(C, D, H, W)`` in units of this spread above this mean."""
        return (image - self.mean) / self.spread
