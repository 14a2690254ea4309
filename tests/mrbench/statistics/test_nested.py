"""The nested estimate: closed forms, an independent analysis of variance, and what cannot be known."""

import re

import numpy as np
import pytest
from scipy import stats

from mrbench.statistics import SubjectTable, nested_difference, nested_value, pseudo_values, superiority


def plain(values, names=None):
    """One class, no raters, one value per subject."""
    values = np.asarray(values, float)
    names = names or [f"s{i}" for i in range(len(values))]
    return SubjectTable(tuple(names), np.array([1]), values[:, None, None], np.ones((len(values), 1)))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def folds_of(values):
    """``(K, S, U)`` values as tables; subjects of a fold are others than those of the next."""
    return {
        fold: [plain(training, [f"{fold}-{i}" for i in range(len(training))]) for training in trainings]
        for fold, trainings in enumerate(values)
    }


def test_two_fusions_give_the_paired_t_test_of_one_fold():
    a, b = noise(9, seed=1), noise(9, seed=2)
    found = nested_difference({0: [plain(a)]}, {0: [plain(b)]}, trained=(False, False))
    expected = stats.ttest_rel(b, a)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    interval, (low, high) = found.interval(), expected.confidence_interval()
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-12)
    assert (found.df, set(found.components)) == (8, {"subjects"})


def test_the_components_are_those_of_the_equations():
    a, b = noise(4, 3, 6, seed=3), noise(4, 5, 6, seed=4) + 0.5
    found = nested_difference(folds_of(a), folds_of(b))
    subjects = sum(np.var(fb.mean(axis=0) - fa.mean(axis=0), ddof=1) / 6 for fa, fb in zip(a, b, strict=True)) / 16
    of_a = sum(np.var(fold.mean(axis=1), ddof=1) / 3 for fold in a) / 16
    of_b = sum(np.var(fold.mean(axis=1), ddof=1) / 5 for fold in b) / 16
    assert found.value == pytest.approx(b.mean() - a.mean())
    assert found.components == pytest.approx(
        {"subjects": subjects, "trainings of A": of_a, "trainings of B": of_b}, rel=1e-12
    )
    df = (subjects + of_a + of_b) ** 2 / (subjects**2 / 20 + of_a**2 / 8 + of_b**2 / 16)
    assert found.df == pytest.approx(df, rel=1e-12)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.value) / np.sqrt(subjects + of_a + of_b), df), rel=1e-12)


def test_one_method_has_the_interval_of_its_own_subjects_and_trainings():
    values = noise(2, 3, 5, seed=5)
    found = nested_value(folds_of(values))
    subjects = sum(np.var(fold.mean(axis=0), ddof=1) / 5 for fold in values) / 4
    trainings = sum(np.var(fold.mean(axis=1), ddof=1) / 3 for fold in values) / 4
    assert found.components == pytest.approx({"subjects": subjects, "trainings": trainings}, rel=1e-12)
    assert nested_value(folds_of(values), trained=False).components == pytest.approx({"subjects": subjects}, rel=1e-12)


def test_shared_trainings_are_taken_training_by_training():
    # B is A plus the same in every training: nothing that the trainings have in common is left.
    a = noise(2, 3, 5, seed=6)
    gain = noise(2, 1, 5, seed=7)
    found = nested_difference(folds_of(a), folds_of(a + gain), shared=True)
    assert found.components["trainings"] == pytest.approx(0, abs=1e-30)
    apart = nested_difference(folds_of(a), folds_of(a + gain))
    assert apart.p > found.p


def test_folds_that_test_the_same_subjects_count_them_once():
    # Two folds with the same values of the same subjects know no more than one of them.
    values = [plain(noise(8, seed=8))]
    one = nested_value({0: values}, trained=False)
    two = nested_value({0: values, 1: values}, trained=False)
    assert (two.error, two.df) == pytest.approx((one.error, one.df))


def test_folds_of_other_subjects_with_the_same_values_know_more():
    values = noise(8, seed=9)

    def error(second):
        folds = {0: [plain(values)], 1: [plain(values, second)]}
        return nested_value(folds, trained=False).error

    assert error(None) == pytest.approx(error([f"t{i}" for i in range(8)]) * np.sqrt(2))


def test_more_trainings_or_subjects_narrow_the_interval():
    few, many = folds_of(noise(4, 3, 20, seed=10)), folds_of(noise(4, 12, 80, seed=11))
    assert nested_value(many).error < nested_value(few).error


@pytest.mark.parametrize(
    ("folds", "trained", "reason"),
    [
        ({0: [plain([0.1])]}, False, "a fold has one subject"),
        ({0: [plain([0.1, 0.3])]}, True, "one seed .*run --seeds 3"),
        ({0: [plain([0.1, 0.3])] * 2, 1: [plain([0.1, 0.3])]}, True, "one seed"),
        ({0: [plain([np.nan, 0.3])]}, False, "a fold has no value"),
    ],
)
def test_what_cannot_be_known_is_said_and_has_no_number(folds, trained, reason):
    found = nested_value(folds, trained=trained)
    assert re.search(reason, found.reason)
    assert (found.p, found.interval(), found.error, found.components) == (None, None, None, {})
    assert not found.within(10.0)


def test_values_that_never_vary_have_an_interval_of_no_width_and_no_p():
    found = nested_difference({0: [plain([0.2, 0.2])]}, {0: [plain([0.2, 0.2])]}, trained=(False, False))
    assert (found.interval().low, found.interval().high) == (0, 0)
    assert found.p is None
    assert found.within(0.01)


def test_equivalence_is_two_one_sided_tests():
    a, b = noise(30, seed=12), noise(30, seed=13)
    found = nested_difference({0: [plain(a)]}, {0: [plain(b)]}, trained=(False, False))
    for margin in (0.01, 0.2, 0.4, 0.8, 2.0):
        above = stats.ttest_1samp(b - a, -margin, alternative="greater").pvalue
        below = stats.ttest_1samp(b - a, margin, alternative="less").pvalue
        assert found.within(margin) == (max(above, below) < 0.05)


def test_pseudo_values_of_a_mean_are_the_subjects_values():
    values = noise(7, seed=14)
    assert pseudo_values(plain(values)) == pytest.approx(values, abs=1e-12)


def test_pseudo_values_of_a_ratio_have_its_linear_variance():
    # A ratio of sums over subjects: the jackknife's variance is that of the residuals to second order.
    rng = np.random.default_rng(15)
    sums, counts = rng.gamma(4, size=200), rng.integers(1, 9, 200).astype(float)
    table = SubjectTable(tuple(map(str, range(200))), np.array([1]), sums[:, None, None], counts[:, None])
    residuals = (sums - sums.sum() / counts.sum() * counts) / counts.mean()
    assert pseudo_values(table).var(ddof=1) == pytest.approx(residuals.var(ddof=1), rel=0.02)


def test_a_pooled_metric_has_pseudo_values_of_its_finaliser():
    sums = np.abs(noise(6, 1, 2, seed=16))
    table = SubjectTable(tuple("abcdef"), np.array([1]), sums, np.ones((6, 1)), lambda s: float(s[0] / s[1]))
    whole = sums[:, 0, 0].sum() / sums[:, 0, 1].sum()
    without = [np.delete(sums[:, 0, 0], i).sum() / np.delete(sums[:, 0, 1], i).sum() for i in range(6)]
    assert pseudo_values(table) == pytest.approx(6 * whole - 5 * np.array(without))


def test_better_on_a_subject_and_of_the_trainings():
    a, b = folds_of([[[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]]]), folds_of([[[1.0, -1.0, 3.0], [0.0, 1.0, 0.0]]])
    found = superiority(a, b, sign=1)
    # Subject 0: B wins 2, ties 2 of 4; subject 1: 2 of 4; subject 2: 2 of 4.
    assert found.subjects.value == pytest.approx((3 / 4 + 2 / 4 + 2 / 4) / 3)
    # Means of A: 1/3, 2/3; of B: 1, 1/3.
    assert (found.better, found.ties, found.pairs) == (2, 1, 4)
    other_way = superiority(a, b, sign=-1)
    assert other_way.subjects.value == pytest.approx(1 - found.subjects.value)
    assert (other_way.better, other_way.ties) == (1, 1)


def test_the_chance_to_be_better_has_the_error_of_its_placement_values():
    a, b = noise(2, 3, 8, seed=17), noise(2, 3, 8, seed=18)
    found = superiority(folds_of(a), folds_of(b), sign=1).subjects
    wins = b[:, None] > a[:, :, None]  # fold, training of A, of B, subject
    subjects = sum(np.var(fold.mean(axis=(0, 1)), ddof=1) / 8 for fold in wins) / 4
    of_a = sum(np.var(fold.mean(axis=(1, 2)), ddof=1) / 3 for fold in wins) / 4
    of_b = sum(np.var(fold.mean(axis=(0, 2)), ddof=1) / 3 for fold in wins) / 4
    assert found.value == pytest.approx(wins.mean())
    assert found.components == pytest.approx({"subjects": subjects, "trainings of A": of_a, "trainings of B": of_b})


def test_subjects_without_a_value_count_nowhere():
    a, b = {0: [plain([0.0, np.nan, 0.0])]}, {0: [plain([1.0, 1.0, -1.0])]}
    found = superiority(a, b, sign=1, trained=(False, False))
    assert found.subjects.value == 0.5


def test_unequal_folds_are_refused():
    with pytest.raises(ValueError, match="same folds"):
        nested_difference({0: [plain([1, 2])]}, {1: [plain([1, 2])]})
    with pytest.raises(ValueError, match="same subjects"):
        nested_difference({0: [plain([1, 2], ["a", "b"])]}, {0: [plain([1, 2], ["a", "c"])]})
