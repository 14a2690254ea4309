"""Expectation-maximisation of STAPLE over the decision patterns of several cases at once.

Notation of Warfield, Zou and Wells 2004: D_ij the label that rater j gave to pixel i, T_i the true one, the prior
f(s) = P(T_i = s), theta_j(s', s) = P(D_ij = s' | T_i = s), W_si = P(T_i = s | D, theta). Pixels with one pattern share
one W, so that an iteration runs over patterns instead of pixels; N cases stand one after another, Q patterns in all.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

NEVER = -1e200
"""The logarithm of 0: finite, so that nothing it is added to becomes NaN."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the raters decided.

    Attributes:
        classes, cases: K and N.
        decisions: ``(R, Q)`` the raters' labels below K, and K where a rater is absent.
        counts: ``(Q,)`` pixels of each pattern.
        case: ``(Q,)`` the case of each pattern, below N.
    """

    classes: int
    cases: int
    decisions: np.ndarray
    counts: np.ndarray
    case: np.ndarray

    @cached_property
    def rates_read(self) -> np.ndarray:
        """``(K, R, Q)`` which of the rates, as :func:`m_step` gives them, each decision is an outcome of."""
        raters, labels = len(self.decisions), self.classes + 1
        row = (np.arange(self.classes)[:, None, None] * self.cases + self.case) * raters  # (K, 1, Q)
        return (row + np.arange(raters)[:, None]) * labels + self.decisions

    @cached_property
    def shares(self) -> np.ndarray:
        """``(K, Q)`` share of the present raters who gave each label."""
        votes = np.stack([np.count_nonzero(self.decisions == label, axis=0) for label in range(self.classes)])
        return votes / votes.sum(axis=0)

    @cached_property
    def frequency(self) -> np.ndarray:
        """``(K, N)`` share of each label in all that the raters gave; 0 for a case without patterns."""
        labelled = np.stack([np.bincount(self.case, self.counts * share, self.cases) for share in self.shares])
        return labelled / np.maximum(labelled.sum(axis=0), 1)

    def of(self, kept: np.ndarray) -> "Evidence":
        """That of some cases, ``(N,)`` bool, alone."""
        left = self.on(kept[self.case])
        number = np.cumsum(kept) - 1
        return replace(left, cases=int(np.count_nonzero(kept)), case=number[left.case])

    def on(self, chosen: np.ndarray) -> "Evidence":
        """That of some patterns, ``(Q,)`` bool, alone."""
        return replace(self, decisions=self.decisions[:, chosen], counts=self.counts[chosen], case=self.case[chosen])


@dataclass(frozen=True, eq=False)
class Estimate:
    """What follows from the evidence.

    Attributes:
        weights: ``(K, Q)`` W.
        rates: ``(K, N, R, K + 1)`` theta_j(s', s) of case n at [s, n, j, s'], and 1 at s' = K.
        iterations: ``(N,)`` iterations before the one that found nothing changed.
    """

    weights: np.ndarray
    rates: np.ndarray
    iterations: np.ndarray


def maximise(
    evidence: Evidence, weights: np.ndarray, log_prior: np.ndarray, tolerance: float, max_iterations: int
) -> Estimate:
    """The estimate that iterations reach from a start; each case stops on its own.

    Args:
        weights: ``(K, Q)`` W to start from.
        log_prior: ``(K, N)`` log f(s) of each case.
        tolerance: largest change of a rate in a case that counts as none; the first iteration is never the last.
        max_iterations: at least 1.
    """
    rates, cases, patterns = certain(evidence), np.arange(evidence.cases), np.arange(weights.shape[1])
    found = Estimate(weights.copy(), rates.copy(), np.full(evidence.cases, max_iterations))
    for iteration in range(max_iterations):
        previous, rates = rates, m_step(evidence, weights, rates)
        weights = e_step(evidence, rates, log_prior)
        changed = np.abs(rates - previous).max(axis=(0, 2, 3)) > tolerance
        changed |= iteration == 0
        if changed.all() and iteration < max_iterations - 1:
            continue
        found.weights[:, patterns], found.rates[:, cases] = weights, rates
        found.iterations[cases[~changed]] = iteration
        if not changed.any():
            break
        cases, patterns, weights = cases[changed], patterns[changed[evidence.case]], weights[:, changed[evidence.case]]
        evidence, rates, log_prior = evidence.of(changed), rates[:, changed], log_prior[:, changed]
    return found


def certain(evidence: Evidence, right: float = 1.0) -> np.ndarray:
    """``(K, N, R, K + 1)`` rates of raters who give the true label with that probability, all others alike."""
    classes = evidence.classes
    rates = np.full((classes, classes + 1), (1 - right) / (classes - 1))
    np.fill_diagonal(rates, right)
    rates[:, classes] = 1
    return np.tile(rates[:, None, None], (evidence.cases, len(evidence.decisions), 1))


def m_step(evidence: Evidence, weights: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """Rates: theta_j(s', s) = the sum of W_si where D_ij = s' / the sum of W_si; as they were where that is 0.

    Where a rater is absent all of them stay. All K x K are kept, because 1 - p would round small ones to 0.
    """
    pixels = np.repeat(weights * evidence.counts, len(evidence.decisions), axis=0)  # (K R, Q)
    outcomes = np.bincount(evidence.rates_read.ravel(), pixels.ravel(), previous.size).reshape(previous.shape)
    total = outcomes[..., :-1].sum(axis=-1, keepdims=True)
    return np.divide(outcomes, total, out=previous.copy(), where=total > 0)


def e_step(evidence: Evidence, rates: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
    """W_si, proportional to f(s) prod_j theta_j(D_ij, s).

    In logarithms, so that hundreds of raters do not underflow. No pattern has all its labels excluded: the one whose W
    was largest before had a prior above 0, and the pattern's own pixels are in each of the rates that it reads.
    """
    read = logarithm(rates).take(evidence.rates_read)  # (K, R, Q)
    evidence_for = read.sum(axis=1) + log_prior[:, evidence.case]  # (K, Q)
    likelihood = np.exp(evidence_for - evidence_for.max(axis=0))
    return likelihood / likelihood.sum(axis=0)


def logarithm(values: np.ndarray) -> np.ndarray:
    """The natural logarithm; :data:`NEVER` of 0."""
    return np.log(values, out=np.full(values.shape, NEVER), where=values > 0)
