"""The signed-rank test for cases that are nested in subjects."""

from collections.abc import Sequence

import numpy as np

from mrbench.statistics.bootstrap import BLOCK
from mrbench.statistics.exchanges import EXCHANGES, exchanges, p_of_exchanges
from mrbench.statistics.significance import Significance, refused


def clustered_signed_rank(
    differences: Sequence[float] | np.ndarray, subjects: Sequence[str], *, draws: int = EXCHANGES, seed: int = 0
) -> Significance:
    """Do the differences of the cases lie around 0? Each subject counts once, however many cases it has.

    The statistic is Datta & Satten's (Biometrics 2008, 64:501-507): the mean signed rank over all ways to draw one
    case per subject; see :func:`subject_scores`. Its distribution is found by exchanging whole subjects, whose
    scores then change sign, rather than by their normal approximation: exact for few subjects. With one case per
    subject this is Wilcoxon's test; differences of 0 are ranked and then left out (Pratt 1959).

    Assumes: subjects independent, and a subject's differences as likely with all signs turned if the methods are
    equal. The estimand is not a difference of means: many small gains outweigh a few large losses.

    Refuses one subject, and cases that all tie.

    Args:
        differences: ``(N,)`` of the cases, B less A.
        subjects: ``(N,)`` whose cases they are.
    """
    scores = subject_scores(np.asarray(differences, np.float64), subjects)
    if len(scores) < 2:
        return refused("one subject: nothing to exchange it with", len(scores))
    if not scores.any():
        return refused("no case differs", len(scores))
    block = max(1, BLOCK // len(scores))
    drawn = [(1 - 2 * swaps) @ scores for swaps in exchanges(len(scores), draws, seed, block=block)]
    return p_of_exchanges(float(scores.sum()), np.concatenate(drawn), len(scores), draws)


def subject_scores(differences: np.ndarray, subjects: Sequence[str]) -> np.ndarray:
    """``(U,)`` what each subject adds to the statistic.

    The mean over the subject's cases of sign times expected rank: 1, and for every other subject the share of its
    cases that differ by less, those that differ by as much counting half (Datta & Satten 2008, section 2).
    """
    names, cluster, sizes = np.unique(subjects, return_inverse=True, return_counts=True)
    size = np.abs(differences)
    below = _weight_below(size, size, 1 / sizes[cluster])
    scores = np.zeros(len(names))
    for number in range(len(names)):
        own = cluster == number
        ranks = 1 + below[own] - _weight_below(size[own], size[own], np.full(own.sum(), 1 / own.sum()))
        scores[number] = np.mean(np.sign(differences[own]) * ranks)
    return scores


def _weight_below(at: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    order = np.argsort(values)
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    ends = [np.searchsorted(values[order], at, side) for side in ("left", "right")]
    return (total[ends[0]] + total[ends[1]]) / 2
