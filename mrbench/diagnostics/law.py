"""The law of total distance: what of the distance of two answers lies within a rater, and what between raters.

1 - IoU is of negative type, so that a mixture's mean distance splits exactly, as a variance does.

Axis letters: R raters, S draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mrbench.diagnostics.figures import Values
from mrbench.diagnostics.masks import distances, mean_of_pairs
from mrbench.diagnostics.names import BETWEEN, RATERS, WITHIN


@dataclass(frozen=True, eq=False)
class Law:
    """Mean distances of two independent draws.

    Attributes:
        within: W_r, ``(R,)``: both of rater r.
        across: B_rr', ``(R, R)``: of r and of r'; the diagonal is W_r.
    """

    within: np.ndarray
    across: np.ndarray

    @property
    def delta(self) -> np.ndarray:
        """``(R, R)`` B_rr' - (W_r + W_r') / 2: energy distances of two raters' answers, half of them; never below 0
        but for the noise of an estimate."""
        return self.across - (self.within[:, None] + self.within[None, :]) / 2

    @property
    def between(self) -> float:
        """R^-2 times the sum of delta over all ordered pairs."""
        return float(self.delta.mean())

    @property
    def total(self) -> float:
        """D_total: the mean distance of two answers, each of a rater drawn uniformly."""
        return float(self.within.mean()) + self.between


def law_of(distance: np.ndarray) -> Law:
    """The law from the distances ``(R, S, R, S)`` of S draws of each rater, without bias.

    Draws of one number share the noise that raters share, so that pairs of different numbers alone count.
    S = 1 says that nothing is random.
    """
    raters, draws = distance.shape[:2]
    across = np.empty((raters, raters))
    for r in range(raters):
        for other in range(raters):
            block = distance[r, :, other]
            across[r, other] = block[0, 0] if draws == 1 else mean_of_pairs(block)
    return Law(across.diagonal().copy(), (across + across.T) / 2)


def law_of_draws(drawn: Sequence[np.ndarray]) -> Law:
    """The law of R raters' packed draws, ``(S, F, bytes)`` each."""
    raters, draws = len(drawn), len(drawn[0])
    return law_of(distances(np.concatenate(drawn)).reshape(raters, draws, raters, draws))


def law_values(law: Law) -> Values:
    """The figures of a case."""
    within = float(law.within.mean())
    return {RATERS: (law.total, 1.0), WITHIN: (within, law.total), BETWEEN: (law.between, law.total)}
