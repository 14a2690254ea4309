"""STAPLE: the hidden truth and the raters' sensitivities and specificities, estimated together.

Warfield, Zou and Wells, "Simultaneous truth and performance level estimation (STAPLE)", IEEE Transactions on Medical
Imaging 23(7), 2004. Notation: D_ij the decision of rater j on pixel i, T_i the truth, g = P(T_i = 1),
p_j = P(D_ij = 1 | T_i = 1) the sensitivity, q_j = P(D_ij = 0 | T_i = 0) the specificity, W_i = P(T_i = 1 | D, p, q).

Pixels with one decision pattern share one W, so that an iteration runs over P patterns instead of all pixels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.interfaces.fusion import Fusion, Trial
from mrbench_consensus.config import StapleOptions
from mrbench_consensus.patterns import find_patterns

CONVERGED = 1e-14
"""Largest squared change of a sensitivity or a specificity at which the iteration stops; ITK's value."""


@dataclass(frozen=True, eq=False)
class Staple:
    """An estimate.

    Attributes:
        probability: ``(*spatial)`` float64, W.
        sensitivity: ``(R,)`` float64, p; NaN for absent raters.
        specificity: ``(R,)`` float64, q; NaN for absent raters.
        iterations: iterations before the one that found nothing changed, as ITK counts; ``max_iterations`` where the
            estimate had not converged.
    """

    probability: np.ndarray
    sensitivity: np.ndarray
    specificity: np.ndarray
    iterations: int


def staple(masks: np.ndarray, present: np.ndarray, max_iterations: int = 10_000) -> Staple:
    """Binary STAPLE in float64. W starts as the share of the raters; g is its mean and stays fixed.

    The estimate is a local one and depends on the start. Cases worth knowing, all without NaN:

    - all raters agree, on nothing or everything too: their mask, W of exactly 0 and 1; a rate without a pixel to be
      measured on is 1;
    - one rater: the mask; two raters with disjoint marks: the larger one, nothing above one half where both are equally
      large;
    - one rater of four marks nothing: sensitivity 0, specificity 1, and the other three decide;
    - three raters of four mark nothing: the start W = 0.25 is a fixed point at once, and nothing exceeds one half.

    Args:
        masks: ``(R, *spatial)`` of 0 and 1; rows of absent raters are not read.
        present: ``(R,)`` bool, at least one.
        max_iterations: at least 1.

    Raises:
        ValueError: nobody is present.
    """
    if not present.any():
        raise ValueError("STAPLE needs at least one rater who is present; present is False for all")
    patterns = find_patterns(masks[present])
    weights, rates, iterations = _maximise(patterns.decisions, patterns.counts, max_iterations)
    sensitivity, specificity = np.full((2, present.size), np.nan)
    specificity[present], sensitivity[present] = rates[0, 0], rates[1, 1]
    return Staple(patterns.spread(weights), sensitivity, specificity, iterations)


def _maximise(decisions: np.ndarray, counts: np.ndarray, max_iterations: int) -> tuple[np.ndarray, np.ndarray, int]:
    """W ``(P,)``, the rates and the iterations, from decisions ``(P, R)`` bool and pixels per pattern ``(P,)``."""
    share = decisions.mean(axis=1)
    prior = counts @ share / counts.sum()
    decided = np.concatenate([~decisions, decisions], axis=1).astype(np.float64)
    weights, rates = share, np.full((2, 2, decisions.shape[1]), np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        prior_odds = np.log(prior) - np.log1p(-prior)
        for iteration in range(max_iterations):
            previous, rates = rates, _m_step(decided, counts, weights)
            weights = _e_step(decisions, rates, prior_odds)
            if ((rates - previous) ** 2 <= CONVERGED).all():
                return weights, rates, iteration
    return weights, rates, max_iterations


def _m_step(decided: np.ndarray, counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rates ``(2, 2, R)``, P(D_j = d | T = t) at [t, d, j]: q_j at [0, 0, j], p_j at [1, 1, j].

    p_j = sum of W_i where D_ij = 1 / sum of W_i; q_j = sum of 1 - W_i where D_ij = 0 / sum of 1 - W_i. All four are
    kept, because 1 - p would round small rates to 0; certain where T = t has no pixel. Decisions come as indicators
    ``(P, 2 R)``: not marked, marked.
    """
    pixels = (counts * np.stack([1 - weights, weights]) @ decided).reshape(2, 2, -1)
    total = pixels.sum(axis=1, keepdims=True)
    return np.where(total > 0, pixels / total, np.eye(2)[:, :, None])


def _e_step(decisions: np.ndarray, rates: np.ndarray, prior_odds: float) -> np.ndarray:
    """W_i = a_i / (a_i + b_i), a_i = g prod_j P(D_ij | T = 1), b_i = (1 - g) prod_j P(D_ij | T = 0).

    In logarithms, so that hundreds of raters do not underflow. A pattern that occurs never meets infinite evidence of
    both signs: one needs W = 0 there, the other W = 1.
    """
    evidence = np.log(rates[1]) - np.log(rates[0])
    log_odds = prior_odds + np.where(decisions, evidence[1], evidence[0]).sum(axis=1)
    return np.asarray(1 / (1 + np.exp(-log_odds)))


class StapleFusion(Fusion[StapleOptions]):
    """The probability W as the consensus, scored against every rater present; no trial where nobody is."""

    def fuse(self, masks: np.ndarray, present: np.ndarray, n: int, noise: np.random.Generator) -> Iterator[Trial]:  # noqa: ARG002
        if present.any():
            estimate = staple(masks, present, self.config.max_iterations)
            yield Trial(present, [Draw(DrawKind.CONSENSUS, binary_probability(estimate.probability))])
