"""STAPLE: the hidden truth and the raters' confusion matrices, estimated together.

Warfield, Zou and Wells, "Simultaneous truth and performance level estimation (STAPLE)", IEEE Transactions on Medical
Imaging 23(7), 2004: with two classes their binary algorithm, with more their multi-category one, on the raters' joint
decisions and never on one class against the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mrbench.consensus.maximisation import Estimate, Evidence, certain, e_step, logarithm, maximise
from mrbench.consensus.patterns import Patterns, find_patterns

NEARLY_CERTAIN = 0.99999
"""Sensitivity and specificity that the paper suggests to start from."""

SURE_DIGITS = 12
"""Decimals of W that are kept: what is a tie on paper is a tie here, whatever way the sums are rounded."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How an estimate is made. It is a local one: the start matters.

    Attributes:
        start: ``share``: W is the share of the raters who gave the label, as in ITK's binary filter; ``identity``:
            every rater gives the true label with probability 0.99999.
        prior: P(T = s) of each class, background first, all above 0, in sum 1; None: how frequent each label is in all
            that the raters gave. Fixed during the iteration. A label that no rater gave has probability 0 in any case.
        disagreement_only: estimate from the pixels on which raters differ; where all agree, their label is certain.
        tolerance: largest change of a rate, P(D_j = s' | T = s), at which the iteration stops; 1e-7 is ITK's.
        max_iterations: after which the estimate is taken as it stands; unlike raters of a few cases need hundreds.

    Raises:
        ValueError: a value out of bounds.
    """

    start: Literal["share", "identity"] = "share"
    prior: tuple[float, ...] | None = None
    disagreement_only: bool = False
    tolerance: float = 1e-7
    max_iterations: int = 10_000

    def __post_init__(self) -> None:
        if self.start not in ("share", "identity"):
            raise ValueError(f"start is 'share' or 'identity'; got {self.start!r}")
        if self.prior is not None and not (min(self.prior, default=0) > 0 and abs(sum(self.prior) - 1) <= 1e-6):
            raise ValueError(f"prior is probabilities above 0 that sum to 1; got {self.prior}")
        if not (self.tolerance >= 0 and self.max_iterations >= 1):
            raise ValueError(f"tolerance >= 0 and max_iterations >= 1; got {self.tolerance}, {self.max_iterations}")


SHARES = Rules()
"""The start and the stop of ITK's binary filter."""


@dataclass(frozen=True, eq=False)
class Staple:
    """An estimate.

    Attributes:
        patterns: the raters' joint decisions, P of them, those of present raters alone.
        weights: ``(K, P)`` float64, W of each, to 12 decimals.
        confusion: ``(R, K, K)`` float64, theta_j(s', s) = P(D_j = s' | T = s) at [j, s', s]; NaN for absent raters.
        iterations: iterations before the one that found nothing changed, as ITK counts; ``max_iterations`` where the
            estimate had not converged.
    """

    patterns: Patterns
    weights: np.ndarray
    confusion: np.ndarray
    iterations: int

    @property
    def probability(self) -> np.ndarray:
        """``(K, *spatial)`` float64, W."""
        return np.stack([self.probability_of(label) for label in range(len(self.weights))])

    def probability_of(self, label: int) -> np.ndarray:
        """``(*spatial)`` float64, W of one class."""
        return self.patterns.spread(self.weights[label])

    @property
    def labels(self) -> np.ndarray:
        """``(*spatial)`` uint8, the label of highest W, the lowest one on a tie; with two classes, W above one half."""
        return self.patterns.spread(self.weights.argmax(axis=0).astype(np.uint8))

    @property
    def sensitivity(self) -> np.ndarray:
        """``(R,)`` p_j = P(D_j = 1 | T = 1), of two classes."""
        return self._rate(1)

    @property
    def specificity(self) -> np.ndarray:
        """``(R,)`` q_j = P(D_j = 0 | T = 0), of two classes."""
        return self._rate(0)

    def _rate(self, label: int) -> np.ndarray:
        if len(self.weights) != 2:
            raise ValueError(f"a rate of two classes; {len(self.weights)} classes have a confusion matrix")
        return self.confusion[:, label, label]


def staple(
    masks: np.ndarray,
    present: np.ndarray | None = None,
    classes: int = 2,
    rules: Rules = SHARES,
    valid: np.ndarray | None = None,
) -> Staple:
    """STAPLE of one case, in float64.

    Cases worth knowing, with two classes and from the shares, all without NaN:

    - all raters agree, on nothing or everything too: their mask, W of exactly 0 and 1; a rate without a pixel to be
      measured on is 1 for the true label and 0 for the others;
    - one rater: the mask; two raters of whom one marks nothing: W = 0.5 on the other's marks, thus nothing above it;
    - two raters with disjoint marks: the larger one, nothing above one half where both are equally large;
    - one rater of four marks nothing: sensitivity 0, specificity 1, and the other three decide;
    - three raters of four mark nothing: the start W = 0.25 is a fixed point at once, and nothing exceeds one half.

    Args:
        masks: ``(R, *spatial)`` integers below K; rows of absent raters are not read.
        present: ``(R,)`` bool, at least one; None: all.
        classes: K from 2 to 256, background included.
        valid: ``(*spatial)`` bool, the pixels that count, as of :func:`staple_batch`; None: all.

    Raises:
        ValueError: nobody is present; a label beyond the classes; no pixel; a prior of another number of classes.
    """
    looked = None if present is None else np.asarray(present)[None]
    return staple_batch([masks], looked, classes, rules, [valid])[0]


def staple_batch(
    masks: Sequence[np.ndarray] | np.ndarray,
    present: np.ndarray | None = None,
    classes: int = 2,
    rules: Rules = SHARES,
    valid: Sequence[np.ndarray | None] | np.ndarray | None = None,
) -> list[Staple]:
    """:func:`staple` of N cases of the same raters, each on its own; one iteration serves all that still run.

    Args:
        masks: ``(R, *spatial)`` of each case, or ``(N, R, *spatial)``; the cases may differ in size.
        present: ``(N, R)`` bool.
        classes, rules: as of :func:`staple`.
        valid: ``(*spatial)`` bool of each case, the pixels that the estimate is made from; None: all. The others have
            the answer of pixels that all call background, and 0 where there is none; where nothing counts, all do.
    """
    if not 2 <= classes <= 256:
        raise ValueError(f"STAPLE needs 2 to 256 classes, background included; got {classes}")
    if not len(masks):
        return []
    looked = np.ones((len(masks), len(masks[0])), bool) if present is None else np.asarray(present, bool)
    counted = [None] * len(masks) if valid is None else valid
    patterns = [_counted_patterns(*case, classes) for case in zip(masks, looked, counted, strict=True)]
    evidence = _joined(patterns, looked, classes)
    weights, estimate = _estimate(evidence, rules)
    confusion = np.where(looked[..., None, None], estimate.rates[..., :-1].transpose(1, 2, 3, 0), np.nan)
    ends = np.cumsum([len(found.counts) for found in patterns])
    parts = np.split(weights, ends[:-1], axis=1)
    return list(map(Staple, patterns, parts, confusion, estimate.iterations.tolist()))


def _counted_patterns(masks: np.ndarray, present: np.ndarray, valid: np.ndarray | None, classes: int) -> Patterns:
    if valid is None or not valid.any():
        return _patterns(masks, present, classes)
    found = _patterns(masks[:, valid], present, classes)
    code = np.zeros(valid.shape, found.code.dtype)
    code[valid] = found.code
    return replace(found, code=code)


def _patterns(masks: np.ndarray, present: np.ndarray, classes: int) -> Patterns:
    if masks.shape[:1] != present.shape or not present.any():
        raise ValueError(f"STAPLE needs at least one rater who is present; present is {present} of {len(masks)} masks")
    seen = masks if present.all() else masks[present]
    if seen.dtype.kind not in "bui" or not seen.size or seen.min() < 0 or seen.max() >= classes:
        found = f"{seen.min()} to {seen.max()}" if seen.size else "no pixel"
        raise ValueError(f"STAPLE needs masks of integers from 0 to {classes - 1}; got {seen.dtype}, {found}")
    return find_patterns(seen, classes)


def _joined(patterns: Sequence[Patterns], present: np.ndarray, classes: int) -> Evidence:
    decisions = np.concatenate([_with_absent(*pair, classes) for pair in zip(patterns, present, strict=True)], axis=1)
    counts = np.concatenate([found.counts for found in patterns])
    case = np.repeat(np.arange(len(patterns)), [len(found.counts) for found in patterns])
    return Evidence(classes, len(patterns), decisions, counts, case)


def _with_absent(patterns: Patterns, present: np.ndarray, classes: int) -> np.ndarray:
    """``(R, P)`` the decisions, K where a rater is absent."""
    decisions = np.full((len(present), len(patterns.counts)), classes)
    decisions[present] = patterns.decisions
    return decisions


def _estimate(evidence: Evidence, rules: Rules) -> tuple[np.ndarray, Estimate]:
    """W, ``(K, Q)``, of all patterns, and the estimate from those that the rules let in."""
    read = evidence.shares.max(axis=0) < 1 if rules.disagreement_only else np.ones(len(evidence.case), bool)
    used, weights = evidence.on(read), evidence.shares.copy()
    log_prior = logarithm(_prior(used, rules))
    start = used.shares if rules.start == "share" else e_step(used, certain(used, NEARLY_CERTAIN), log_prior)
    estimate = maximise(used, start, log_prior, rules.tolerance, rules.max_iterations)
    weights[:, read] = estimate.weights.round(SURE_DIGITS)
    return weights, estimate


def _prior(evidence: Evidence, rules: Rules) -> np.ndarray:
    if rules.prior is None:
        return evidence.frequency
    if len(rules.prior) != evidence.classes:
        raise ValueError(f"prior is of {evidence.classes} classes, background first; got {rules.prior}")
    return np.where(evidence.frequency > 0, np.array(rules.prior)[:, None], 0)
