"""Marginals only: what a method says of each pixel, without which pixels go together."""

from collections.abc import Sequence

import numpy as np
import torch

from mrbench.data.description import Description
from mrbench.interfaces.noise import Noise
from mrbench.interfaces.wrapper import View, Wrapper
from mrbench.nn.level_sets import level_sets
from mrbench_wrappers.config import MarginalsConfig


class Marginals(Wrapper[MarginalsConfig]):
    """Level sets of the member's mean probability."""

    def __init__(self, config: MarginalsConfig, description: Description) -> None:
        super().__init__(config, description)
        self.mean_of = config.draws

    def views(self, shape: tuple[int, ...]) -> Sequence[View]:
        """The image as it is."""
        return [View()]

    def sample(self, mean: np.ndarray, noise: Noise) -> np.ndarray:
        """The level sets at uniform levels; a volume's slices share theirs."""
        level = noise.uniform("level")[:, :1]  # (S, 1)
        pixels = torch.from_numpy(mean).flatten(1)[None, :, None]  # (1, K, 1, pixels)
        return level_sets(pixels, level).reshape(-1, *mean.shape).numpy()
