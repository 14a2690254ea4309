"""Variance components: closed forms on balanced toys, an independent analysis of variance, and coverage."""

import numpy as np
import pytest
from scipy import stats

from mrbench.statistics import SubjectTable, variance_components
from mrbench.statistics.components import FOLDS, REST, SUBJECTS, TRAININGS, bounds, contrasts, estimate


def table(values, fold=0):
    values = np.asarray(values, float)
    names = tuple(f"{fold}-{i}" for i in range(len(values)))
    return SubjectTable(names, np.array([1]), values[:, None, None], np.ones((len(values), 1)))


def folds_of(values):
    """``(K, S, U)`` values as tables."""
    return {fold: [table(own, fold) for own in trainings] for fold, trainings in enumerate(values)}


def test_sources_that_add_and_nothing_else_have_their_own_variance():
    # x_fsi = fold + training + subject without a rest: every mean square is a closed form.
    fold, training, subject = np.array([0.0, 4.0]), np.array([-1.0, 1.0]), np.array([-3.0, 0.0, 3.0])
    values = fold[:, None, None] + training[:, None] + subject
    found = variance_components(folds_of(values)).sources
    # var(training) = 2 and var(subject) = 9 in each fold; var(fold means) = 8 less 2 / 2 less 9 / 3.
    expected = {SUBJECTS: 9.0, TRAININGS: 2.0, FOLDS: 8 - 1 - 3, REST: 0.0}
    assert {name: one.variance for name, one in found.items()} == pytest.approx(expected, abs=1e-12)


def test_the_estimates_are_those_of_an_analysis_of_variance():
    values = np.random.default_rng(1).normal(size=(3, 4, 5))
    k, s, n = values.shape
    by_training, by_subject = values.mean(axis=2, keepdims=True), values.mean(axis=1, keepdims=True)
    by_fold = values.mean(axis=(1, 2), keepdims=True)
    ms_fold = s * n * ((by_fold - values.mean()) ** 2).sum() / (k - 1)
    ms_training = n * ((by_training - by_fold) ** 2).sum() / (k * (s - 1))
    ms_subject = s * ((by_subject - by_fold) ** 2).sum() / (k * (n - 1))
    ms_rest = ((values - by_training - by_subject + by_fold) ** 2).sum() / (k * (s - 1) * (n - 1))
    found = variance_components(folds_of(values)).sources
    assert found[REST].variance == pytest.approx(ms_rest)
    assert found[SUBJECTS].variance == pytest.approx((ms_subject - ms_rest) / s)
    assert found[TRAININGS].variance == pytest.approx((ms_training - ms_rest) / n)
    assert found[FOLDS].variance == pytest.approx((ms_fold - ms_training - ms_subject + ms_rest) / (s * n))


def test_one_mean_square_has_the_interval_of_chi_square():
    values = np.random.default_rng(2).uniform(size=(2, 2, 9)).round(1)  # light tails: whole degrees of freedom
    (terms,) = [own for name, own in contrasts(list(values)).items() if name == REST]
    (_, square) = terms[0]
    low, high = bounds(terms)
    df = float(square.df)
    assert (low, high) == pytest.approx(
        (square.value * df / stats.chi2.isf(0.025, df), square.value * df / stats.chi2.ppf(0.025, df))
    )


def test_a_component_below_zero_is_said_and_its_interval_is_cut_at_zero():
    # Trainings whose means are equal while their subjects scatter.
    values = [[[0.0, 2.0, 4.0], [4.0, 2.0, 0.0]], [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]]
    found = variance_components(folds_of(values))
    one = found.sources[TRAININGS]
    assert one.variance < 0
    assert one.negative
    assert one.interval.low == 0
    assert found.share(TRAININGS) == 0
    assert sum(map(found.share, found.sources)) == pytest.approx(1)


def test_a_fusion_has_subjects_and_folds_alone_whatever_its_seeds():
    values = np.random.default_rng(3).normal(size=(3, 1, 6))
    found = variance_components(folds_of(values.repeat(2, axis=1)), trained=False)
    subject = np.mean([fold[0].var(ddof=1) for fold in values])
    assert set(found.sources) == {SUBJECTS, FOLDS}
    assert found.sources[SUBJECTS].variance == pytest.approx(subject)
    assert found.sources[FOLDS].variance == pytest.approx(values.mean(axis=2).var(ddof=1) - subject / 6)
    assert found.reasons == {TRAININGS: "nothing is trained", REST: "nothing is trained"}


@pytest.mark.parametrize(
    ("folds", "reason"),
    [
        ({0: [table([0.1, 0.2])]}, "one seed; run --seeds 3"),
        ({0: [table([0.1])] * 2}, "a fold has one subject"),
        ({0: [table([0.1, 0.2])] * 2, 1: [table([0.1, 0.2])] * 2}, "folds share subjects"),
        ({0: [table([0.1, 0.2])] * 2, 1: [table([0.1, 0.2], 1)] * 3}, "folds differ in seeds"),
        ({0: [table([0.1, np.nan])] * 2}, "a fold has no value, or none without one of its subjects"),
    ],
)
def test_what_cannot_be_known_is_said(folds, reason):
    found = variance_components(folds)
    assert (found.sources, set(found.reasons.values())) == ({}, {reason})


def test_of_one_fold_nothing_is_said_of_folds():
    found = variance_components(folds_of(np.random.default_rng(4).normal(size=(1, 3, 5))))
    assert set(found.sources) == {SUBJECTS, TRAININGS, REST}
    assert found.reasons == {FOLDS: "one fold"}


def test_values_that_never_vary_have_no_variance_and_no_width():
    found = variance_components(folds_of(np.full((2, 2, 3), 0.25))).sources
    assert [(one.variance, one.interval.low, one.interval.high) for one in found.values()] == [(0, 0, 0)] * 4


SPREAD = {FOLDS: 0.1, TRAININGS: 0.2, SUBJECTS: 1.0, REST: 0.5}


def coverage(folds, seeds, subjects, draw, spread=SPREAD, repeats=3000):
    """Of the intervals of each source: the share that holds the variance that was drawn from; normal trainings."""
    rng = np.random.default_rng(5)
    values = [
        spread[FOLDS] * rng.normal(size=(repeats, 1, 1))
        + spread[TRAININGS] * rng.normal(size=(repeats, seeds, 1))
        + spread[SUBJECTS] * draw(rng, (repeats, 1, subjects))
        + spread[REST] * draw(rng, (repeats, seeds, subjects))
        for _ in range(folds)
    ]
    found = {}
    for source, terms in contrasts(values).items():
        low, high = (np.maximum(end, 0) for end in bounds(terms))
        found[source] = np.mean((low <= spread[source] ** 2) & (spread[source] ** 2 <= high))
        assert abs(estimate(terms).mean() - spread[source] ** 2) < 4 * estimate(terms).std() / repeats**0.5
    return found


def normal(rng, shape):
    return rng.normal(size=shape)


def skewed(rng, shape):
    return rng.exponential(size=shape) - 1


@pytest.mark.parametrize(("folds", "seeds", "subjects"), [(4, 3, 5), (4, 3, 100), (2, 3, 30), (10, 5, 10)])
def test_intervals_hold_the_variance_in_95_of_100_normal_data_sets(folds, seeds, subjects):
    assert all(0.935 <= share <= 0.97 for share in coverage(folds, seeds, subjects, normal).values())


def test_intervals_of_sources_that_are_not_there_hold_zero():
    nothing = SPREAD | {FOLDS: 0.0, TRAININGS: 0.0}
    assert all(share >= 0.935 for share in coverage(4, 3, 30, normal, nothing).values())


def test_many_skewed_subjects_are_held_too_and_few_are_known_to_be_held_less_often():
    many, few = coverage(4, 3, 106, skewed), coverage(4, 3, 15, skewed)
    assert all(share >= 0.915 for share in many.values())
    assert few[TRAININGS] >= 0.93
    assert 0.8 <= few[SUBJECTS] <= 0.9, "said in docs/statistics.md"
