"""Sparse annotation: a training in which all but a few raters of each image are absent."""

from dataclasses import replace

import numpy as np

from mrbench.data.caseset import CaseSet
from mrbench.seeds import derive_noise


def thinned(present: np.ndarray, n: int, noise: np.random.Generator) -> np.ndarray:
    """All but n of the present raters of each row become absent.

    Every present rater is equally likely to stay; a row with no more than n of them keeps them all.

    Args:
        present: ``(N, R)`` bool.

    Returns:
        ``(N, R)`` bool.
    """
    keys = np.where(present, noise.random(present.shape), np.inf)
    order = keys.argsort(axis=1).argsort(axis=1)  # (N, R): a rater's place among those of the row
    left: np.ndarray = present & (order < n)
    return left


def thinned_cases(cases: CaseSet, n: int, seed: int) -> CaseSet:
    """The cases with at most n raters each, all slices of a volume alike.

    A case's raters depend on the seed and on its name alone: folds, methods and the other cases change nothing.
    """
    rows = zip(cases.ids, cases.present, strict=True)
    present = [thinned(looked[None], n, derive_noise(seed, case))[0] for case, looked in rows]
    return replace(cases, present=np.stack(present))
