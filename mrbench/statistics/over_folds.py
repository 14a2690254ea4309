"""Tests whose units are folds: few, and not independent, because their trainings share subjects."""

from collections.abc import Sequence

import numpy as np

from mrbench.statistics.equality import TIE
from mrbench.statistics.significance import Significance, refused


def corrected_resampled_t(differences: Sequence[float] | np.ndarray, test_over_train: float) -> Significance:
    """The t test over folds whose variance allows for the overlap of their training sets.

    Nadeau & Bengio (Machine Learning 2003, 52:239-281): the variance of the mean over k folds is (1/k +
    n_test/n_train) times that of the folds; k - 1 degrees of freedom. It includes what other training data would
    change, which no test over subjects does.

    Assumes: differences of the folds normal, their correlation n_test / (n_test + n_train). That is a rule of thumb:
    no unbiased estimate of the variance exists (Bengio & Grandvalet 2004).

    Refuses one fold, and folds that do not vary.

    Args:
        differences: ``(k,)`` of the folds.
        test_over_train: n_test / n_train, in the units that are independent.
    """
    from scipy import stats

    values = np.asarray(differences, np.float64)
    if len(values) < 2:
        return refused("one fold: what other training data would change cannot be known", len(values))
    spread = float(values.std(ddof=1))
    if spread <= TIE * max(1.0, float(np.abs(values).max())):
        return refused("the folds do not vary", len(values))
    t = float(values.mean() / (spread * np.sqrt(1 / len(values) + test_over_train)))
    p = max(float(2 * stats.t.sf(abs(t), len(values) - 1)), np.finfo(float).tiny)
    return Significance(p, len(values), t, how=f"t, {len(values) - 1} degrees of freedom")


def share_tested(subjects: Sequence[int], total: int) -> float:
    """n_test / n_train, mean over the folds, where each fold trains on all subjects that it does not test.

    Args:
        subjects: tested in each fold.
        total: different ones in all folds. Folds that were not run make it too small, and the test cautious.
    """
    return float(np.mean([n / max(total - n, 1) for n in subjects]))


def sign_test(better: int, worse: int) -> Significance:
    """Is one better in more folds than chance would make it? Ties count nowhere.

    The exact binomial test (Dixon & Mood 1946; ``scipy.stats.binomtest``). 12 of 12 gives p = .0005, 4 of 4 .125.

    Assumes: folds independent. Those of one data set are not, so its p is too small; see ``docs/statistics.md``.

    Refuses where no fold differs.
    """
    from scipy import stats

    n = better + worse
    if n == 0:
        return refused("no fold differs", 0)
    p = float(stats.binomtest(better, n).pvalue)
    return Significance(p, n, float(better), min(1.0, 2.0 ** (1 - n)), "binomial")
