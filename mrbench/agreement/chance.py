"""Agreement beyond chance of raters who give each pixel a label: Fleiss' kappa and Krippendorff's alpha, nominal.

A pixel is a unit. Both are 1 where all agree and 0 where agreement is what the frequency of the labels would give by
chance; they rise with the background that an image has around its object, so they compare on equal frames only.
"""

import numpy as np


def fleiss_kappa(votes: np.ndarray, counts: np.ndarray) -> float:
    """Fleiss' kappa of one case (Fleiss, Psychological Bulletin 76:378, 1971, eq. 7).

    Args:
        votes: ``(K, P)`` how many of the raters gave each label, the same number of raters, at least two, everywhere.
        counts: ``(P,)`` pixels of each column.

    Returns:
        NaN with fewer than two raters, and where only one label was given, all masks empty included: chance agreement
        is complete there.
    """
    raters = int(votes[:, 0].sum())
    shares = votes @ counts / (raters * counts.sum())
    chance = float(np.square(shares).sum())
    if raters < 2 or np.count_nonzero(shares) < 2:
        return float("nan")
    agreeing = (np.square(votes).sum(axis=0) - raters) / (raters * (raters - 1))
    return (float(agreeing @ counts / counts.sum()) - chance) / (1 - chance)


def coincidences(votes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """``(K, K)`` Krippendorff's coincidence matrix: ordered pairs of labels that two raters gave one pixel.

    Each pixel weighs as much as the raters who looked at it; with fewer than two it pairs nothing. Matrices of several
    cases add up, whoever was absent where.

    Args:
        votes: ``(K, P)`` how many of the raters gave each label.
        counts: ``(P,)`` pixels of each column.
    """
    raters = votes.sum(axis=0)
    weights = np.where(raters > 1, counts / np.maximum(raters - 1, 1), 0.0)
    weighted = votes * weights
    return weighted @ votes.T - np.diag(weighted.sum(axis=1))


def alpha_of(matrices: np.ndarray) -> np.ndarray:
    """``(...)`` Krippendorff's alpha, nominal, of coincidence matrices ``(..., K, K)``.

    Krippendorff, Computing Krippendorff's alpha-reliability, 2011, section C. NaN where only one label was given.
    """
    labels = matrices.sum(axis=-1)  # (..., K)
    total = labels.sum(axis=-1)
    observed = total - np.trace(matrices, axis1=-2, axis2=-1)
    expected = np.square(total) - np.square(labels).sum(axis=-1)
    missing = np.full(np.shape(total), np.nan)
    varied = np.count_nonzero(labels, axis=-1) > 1
    return 1 - np.divide((total - 1) * observed, expected, out=missing, where=varied)
