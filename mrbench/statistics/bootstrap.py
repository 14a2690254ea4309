"""Bootstrap draws of subjects, for what has no trainings: the raters' own agreement.

Axis letters: U subjects of a fold, T bootstrap draws.
"""

from collections.abc import Iterator

import numpy as np

from mrbench.seeds import derive_noise

DRAWS = 2000

BLOCK = 2**22
"""Numbers that the weights or the sums of one block of draws hold at most."""


def draw_weights(n_subjects: int, fold: int, draws: int, seed: int, *, block: int) -> Iterator[np.ndarray]:
    """``(block, U)`` how often each subject is drawn, block by block; the size of a block changes no draw."""
    noise = derive_noise("bootstrap", seed, fold)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = noise.integers(n_subjects, size=(size, n_subjects)) + n_subjects * np.arange(size)[:, None]
        yield np.bincount(drawn.reshape(-1), minlength=size * n_subjects).reshape(size, n_subjects).astype(np.float64)
