"""The exchange test: scipy's sign flips as oracle where the table is a plain mean, tables built anew elsewhere."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from mrbench.statistics import SubjectTable, exchange_test


def table(values, names=None, labels=(1,), counts=None, finalise=None):
    """A table of values ``(U, Q)`` or ``(U, Q, L)``."""
    values = np.asarray(values, float)
    values = values[:, None] if values.ndim == 1 else values
    sums = values[..., None] if values.ndim == 2 else values
    counts = np.ones(sums.shape[:2]) if counts is None else np.asarray(counts, float)
    return SubjectTable(
        tuple(names or (f"s{i}" for i in range(len(values)))), np.array(labels), sums * (counts > 0)[..., None], counts,
        finalise,
    )  # fmt: skip


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("seed", range(5))
def test_in_one_fold_of_plain_means_it_is_the_sign_flip_test_of_scipy(seed):
    a, b = noise(9, seed=seed), noise(9, seed=seed + 100) + 0.7
    found = exchange_test({0: [table(a)]}, {0: [table(b)]})
    expected = stats.permutation_test((b - a,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.statistic == pytest.approx((b - a).mean())
    assert (found.n, found.least, found.how) == (9, 2 / 512, "all 512 exchanges")


def test_random_exchanges_agree_with_all_of_them():
    a, b = noise(12, seed=1), noise(12, seed=2) + 0.4
    exact = exchange_test({0: [table(a)]}, {0: [table(b)]}).p
    drawn = exchange_test({0: [table(a)]}, {0: [table(b)]}, draws=3000)
    assert drawn.p == pytest.approx(exact, abs=0.02)
    assert drawn.how == "3,000 random exchanges"


def test_five_subjects_by_hand():
    # Differences 1 to 5: only the way found and its mirror image lie as far, 2 of 32.
    found = exchange_test({0: [table(np.zeros(5))]}, {0: [table([1.0, 2, 3, 4, 5])]})
    assert (found.p, found.least) == (2 / 32, 2 / 32)
    # With -1 instead of 1 the sum is 13; the sums 13 and 15 and their mirror images: 4 of 32.
    assert exchange_test({0: [table(np.zeros(5))]}, {0: [table([-1.0, 2, 3, 4, 5])]}).p == 4 / 32


def swapped(a, b, ways):
    """The differences under each way, by building the tables anew: an oracle."""
    found = []
    for way in ways:
        first = {f: table_of([y if s else x for x, y, s in zip(a[f], b[f], way, strict=True)]) for f in a}
        second = {f: table_of([x if s else y for x, y, s in zip(a[f], b[f], way, strict=True)]) for f in a}
        found.append(np.mean([second[f].value() - first[f].value() for f in a]))
    return np.array(found)


def table_of(rows):
    sums, counts = zip(*rows, strict=True)
    return SubjectTable(tuple(f"s{i}" for i in range(len(rows))), np.array([1, 1, 2]), np.stack(sums),
                        np.stack(counts), lambda total: float(total[0] / total[1]))  # fmt: skip


def test_pooled_metrics_raters_classes_and_missing_values_are_reduced_anew_under_every_exchange():
    generator = np.random.default_rng(3)

    def side(shift):
        counts = (generator.random((6, 3)) > 0.3).astype(float)
        sums = (generator.random((6, 3, 2)) + np.array([shift, 1])) * counts[..., None]
        return list(zip(sums, counts, strict=True))

    a, b = {f: side(0) for f in range(2)}, {f: side(0.4) for f in range(2)}
    found = exchange_test({f: [table_of(a[f])] for f in a}, {f: [table_of(b[f])] for f in b})
    drawn = swapped(a, b, list(product((0, 1), repeat=6)))
    assert found.statistic == pytest.approx(drawn[0])
    assert found.p == pytest.approx(np.mean(np.abs(drawn) >= abs(drawn[0]) - 1e-9))


def test_a_subject_of_several_folds_moves_in_all_of_them():
    names = ["x", "y"]
    folds = {fold: [table([1.0, 2.0], names)] for fold in range(3)}
    found = exchange_test({fold: [table([0.0, 0.0], names)] for fold in range(3)}, folds)
    assert (found.n, found.p) == (2, 0.5), "two subjects, not six"


def test_seeds_move_together():
    a = {0: [table(np.zeros(6)), table(np.zeros(6))]}
    b = {0: [table([1.0, 2, 3, 4, 5, 6]), table([3.0, 4, 5, 6, 7, 8])]}
    found = exchange_test(a, b)
    assert (found.statistic, found.p) == (pytest.approx(4.5), 2 / 64)


def test_equal_methods_have_p_one():
    one = {0: [table(noise(20))]}
    assert exchange_test(one, one).p == 1


def test_what_it_cannot_do_is_refused_with_the_reason():
    one = {0: [table([1.0])]}
    assert exchange_test(one, one).reason == "one subject: nothing to exchange it with"
    two = {0: [table([1.0, 2.0])]}
    assert exchange_test(two, {0: two[0] * 2}).reason == "unequal numbers of seeds cannot be exchanged"
    none = {0: [table([1.0, 2.0], counts=[[0.0], [0.0]])]}
    assert exchange_test(none, two).reason == "a fold has no value"
    with pytest.raises(ValueError, match="same folds"):
        exchange_test(two, {1: two[0]})
