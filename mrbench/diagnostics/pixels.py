"""What masks carry, pixel by pixel: H(Y) = I(r; Y) + I(z; Y | r).

Y is the label of a pixel, r the rater, uniform, and z all noise. With p_r the share of rater r's draws that mark the
pixel and h(p) = -p ln p - (1 - p) ln(1 - p): H(Y) = h(mean_r p_r), and I(z; Y | r) = mean_r h(p_r), for a mask follows
from its rater and its noise. This is the split of predictive entropy into mutual information (Houlsby et al. 2011;
Depeweg et al. 2018) of masks as they are scored, with the rater as the first of two sources. Pixels and foreground
classes are summed, so that pixels that move together count each. Axis letters: R raters, S draws, F = K - 1 classes.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr

from mrbench.diagnostics.figures import Values
from mrbench.diagnostics.names import ENTROPY, PIXELS_RATER, PIXELS_WITHIN


class PixelInformation(NamedTuple):
    """In nats, summed over pixels and classes."""

    entropy: float
    """H(Y)."""
    within: float
    """I(z; Y | r)."""

    @property
    def of_rater(self) -> float:
        """I(r; Y)."""
        return self.entropy - self.within


def pixel_information(masks: np.ndarray) -> PixelInformation:
    """Of packed masks ``(R, S, F, bytes)``, by the jackknife over the numbers of draws, which raters may share.

    The plain estimate is too small by a term in 1 / S, which the jackknife (Quenouille 1956) takes away: an estimate of
    nothing can fall a little below 0. S = 1 says that nothing is random.
    """
    bits = np.unpackbits(masks, axis=-1)  # (R, S, F, pixels): those past the end are 0 in every mask
    marked, draws = bits.sum(axis=1, dtype=np.int64), bits.shape[1]  # (R, F, pixels)
    whole = _plain(marked / draws)
    if draws == 1:
        return PixelInformation(*whole)
    left_out = np.mean([_plain((marked - bits[:, s]) / (draws - 1)) for s in range(draws)], axis=0)
    return PixelInformation(*(draws * whole - (draws - 1) * left_out).tolist())


def pixel_values(masks: np.ndarray, suffix: str = "") -> Values:
    """The figures of a case, of packed masks ``(R, S, F, bytes)``; ``suffix``: of their names, says whose masks."""
    found = pixel_information(masks)
    return {
        f"{ENTROPY}{suffix}": (found.entropy, 1.0),
        f"{PIXELS_RATER}{suffix}": (found.of_rater, found.entropy),
        f"{PIXELS_WITHIN}{suffix}": (found.within, found.entropy),
    }


def _plain(shares: np.ndarray) -> np.ndarray:
    # Entropy and what of it lies within a rater, from p_r (R, F, pixels)
    each = [entr(p) + entr(1 - p) for p in (shares.mean(axis=0), shares)]
    return np.array([each[0].sum(), each[1].sum() / len(shares)])
