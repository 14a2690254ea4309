"""STAPLE written out over all pixels, with plain products, as the paper has it: what the library must give."""

from collections.abc import Sequence

import numpy as np


def binary(masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """W, p, q and ITK's count of iterations from masks ``(R, *spatial)``, from the shares of the raters."""
    decided = masks.reshape(len(masks), -1).astype(np.float64)
    weights = decided.mean(axis=0)
    prior = weights.mean()
    last_p = last_q = np.full(len(masks), np.inf)
    iteration = 0
    while True:
        p = (decided * weights).sum(axis=1) / weights.sum()
        q = ((1 - decided) * (1 - weights)).sum(axis=1) / (1 - weights).sum()
        a = prior * np.where(decided == 1, p[:, None], 1 - p[:, None]).prod(axis=0)
        b = (1 - prior) * np.where(decided == 1, 1 - q[:, None], q[:, None]).prod(axis=0)
        weights = a / (a + b)
        if ((p - last_p) ** 2 <= 1e-14).all() and ((q - last_q) ** 2 <= 1e-14).all():
            return weights.reshape(masks.shape[1:]), p, q, iteration
        last_p, last_q = p, q
        iteration += 1


def multi_category(
    masks: np.ndarray, classes: int, *, right: float | None = None, prior: Sequence[float] | None = None
) -> tuple[np.ndarray, np.ndarray, int]:
    """W ``(K, *spatial)``, theta ``(R, K, K)`` and the iterations, to changes of theta of at most 1e-7.

    Every rater uses every label. From raters who are right with a probability, or from their shares.
    """
    flat = masks.reshape(len(masks), -1)
    votes = np.stack([(flat == s).mean(axis=0) for s in range(classes)])
    f = votes.mean(axis=1) if prior is None else np.array(prior)
    theta = np.full((len(masks), classes, classes), np.inf)
    weights = votes
    if right is not None:
        near = np.where(np.eye(classes, dtype=bool), right, (1 - right) / (classes - 1))
        weights = _e(f, np.stack([near] * len(masks)), flat)
    iteration = 0
    while True:
        last, theta = theta, np.stack([_m(labels, weights) for labels in flat])
        weights = _e(f, theta, flat)
        if (np.abs(theta - last) <= 1e-7).all():
            return weights.reshape(classes, *masks.shape[1:]), theta, iteration
        iteration += 1


def _m(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.stack([(weights * (labels == s)).sum(axis=1) for s in range(len(weights))]) / weights.sum(axis=1)


def _e(f: np.ndarray, theta: np.ndarray, flat: np.ndarray) -> np.ndarray:
    product = f[:, None] * np.prod([one[labels].T for one, labels in zip(theta, flat, strict=True)], axis=0)
    return product / product.sum(axis=0)
