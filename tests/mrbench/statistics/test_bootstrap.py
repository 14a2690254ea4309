"""Intervals: closed forms, a plain loop as oracle, coverage."""

import numpy as np
import pytest

from mrbench.seeds import derive_noise
from mrbench.statistics import SubjectTable, bootstrap_difference, bootstrap_value, fold_values, resampled
from mrbench.statistics.bootstrap import draw_weights


def plain(values, names=None):
    """One class, no raters, one value per subject."""
    values = np.asarray(values, float)
    names = names or [f"s{i}" for i in range(len(values))]
    return SubjectTable(tuple(names), np.array([1]), values[:, None, None], np.ones((len(values), 1)))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_the_value_is_the_mean_over_folds_of_means_over_seeds():
    folds = {0: [plain([0.0, 1.0]), plain([1.0, 1.0])], 1: [plain([0.0, 0.0, 0.3])]}
    assert fold_values(folds) == {0: 0.75, 1: pytest.approx(0.1)}
    assert bootstrap_value(folds).value == pytest.approx((0.75 + 0.1) / 2)


def test_every_draw_is_what_a_plain_loop_over_the_subjects_drawn_gives():
    sides = [
        {3: [plain(noise(7, seed=1)), plain(noise(7, seed=2))], 5: [plain(noise(4, seed=side))]} for side in (3, 4)
    ]
    drawn = {}
    for fold, n in ((3, 7), (5, 4)):
        generator = derive_noise("bootstrap", 11, fold)
        drawn[fold] = [[int(generator.integers(n)) for _ in range(n)] for _ in range(50)]
    for side, found in zip(sides, resampled(sides, draws=50, seed=11), strict=True):
        for t in range(50):
            means = [
                np.mean([np.mean([table.sums[u, 0, 0] for u in drawn[fold][t]]) for table in tables])
                for fold, tables in side.items()
            ]
            assert found[t] == pytest.approx(np.mean(means), abs=1e-12)


def test_two_subjects_are_drawn_alike_mixed_and_alike_in_the_shares_one_two_one():
    found = resampled([{0: [plain([0.0, 1.0])]}], draws=8000)[0]
    values, counts = np.unique(found, return_counts=True)
    assert values.tolist() == [0, 0.5, 1]
    assert counts / 8000 == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_the_spread_of_the_draws_is_the_standard_error_of_a_stratified_mean():
    folds = {fold: [plain(noise(n, seed=fold))] for fold, n in ((0, 10), (1, 40), (2, 25))}
    variances = [np.var(tables[0].sums) / len(tables[0].subjects) for tables in folds.values()]
    assert resampled([folds], draws=20000)[0].std() == pytest.approx(np.sqrt(sum(variances)) / 3, rel=0.02)


def test_folds_that_test_the_same_subjects_draw_the_same_ones():
    # Otherwise the mean of two such folds would seem less uncertain than one of them.
    values, others = noise(15), [f"other-{i}" for i in range(15)]
    one = resampled([{0: [plain(values)]}], draws=300)
    assert np.array_equal(resampled([{0: [plain(values)], 1: [plain(values)]}], draws=300), one)
    assert not np.array_equal(resampled([{0: [plain(values)], 1: [plain(values, others)]}], draws=300), one)


def test_a_constant_difference_has_an_interval_of_no_width():
    values = noise(20)
    found = bootstrap_difference({0: [plain(values)]}, {0: [plain(values + 0.1)]})
    assert found.value == pytest.approx(0.1, abs=1e-12)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((0.1, 0.1), abs=1e-12)


def test_differences_have_the_interval_of_the_differences():
    a, b = noise(15, seed=1), noise(15, seed=2)
    paired = bootstrap_difference({0: [plain(a)]}, {0: [plain(b)]})
    alone = bootstrap_value({0: [plain(b - a)]})
    assert paired.interval is not None
    assert alone.interval is not None
    assert (paired.interval.low, paired.interval.high) == pytest.approx((alone.interval.low, alone.interval.high))


def test_exchanging_a_and_b_changes_the_sign_alone():
    a, b = {0: [plain(noise(9, seed=1))]}, {0: [plain(noise(9, seed=2))]}
    there, back = bootstrap_difference(a, b).interval, bootstrap_difference(b, a).interval
    assert there is not None
    assert back is not None
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    folds = {0: [plain(noise(30))]}
    assert bootstrap_value(folds) == bootstrap_value(folds)
    assert bootstrap_value(folds).interval != bootstrap_value(folds, seed=1).interval


def test_a_fold_has_draws_of_its_own_whatever_other_folds_there_are():
    one, two = {1: [plain(noise(8))]}, {0: [plain(np.zeros(5))], 1: [plain(noise(8))]}
    assert resampled([one]) / 2 == pytest.approx(resampled([two]))


@pytest.mark.parametrize("block", [1, 7, 2000])
def test_the_size_of_a_block_changes_no_draw(block):
    found = np.concatenate(list(draw_weights(13, 2, 100, 5, block=block)))
    assert np.array_equal(found, next(draw_weights(13, 2, 100, 5, block=100)))
    assert (found.sum(axis=1) == 13).all()


def test_a_fold_with_one_subject_leaves_no_interval_and_says_why():
    found = bootstrap_value({0: [plain([0.1, 0.2])], 4: [plain([0.5])]})
    assert found.value == pytest.approx(0.325)
    assert found.interval is None
    assert found.reason == "fold 4 has one subject: its spread cannot be known"


def test_draws_without_a_value_are_left_out_and_counted():
    sums, counts = np.array([1.0, 0.0])[:, None, None], np.array([[1.0], [0.0]])
    found = bootstrap_value({0: [SubjectTable(("a", "b"), np.array([1]), sums, counts)]})
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == (1, 1)
    assert found.interval.draws == pytest.approx(1500, abs=100), "one in four draws takes subject b twice"


def test_the_raters_and_classes_that_a_draw_loses_leave_the_others_in_their_place():
    # Rater 1 of class 1 saw subject b alone; a draw of a alone is the mean of rater 0 and of class 2.
    labels = np.array([1, 1, 2])
    sums = np.array([[0.2, 0.0, 0.6], [0.4, 1.0, 0.8]])[..., None]
    counts = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    table = SubjectTable(("a", "b"), labels, sums, counts)
    drawn = table.values(np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]]))
    expected = [(0.2 + 0.6) / 2, ((0.3 + 1.0) / 2 + 0.7) / 2, ((0.4 + 1.0) / 2 + 0.8) / 2]
    assert drawn == pytest.approx(expected)


@pytest.mark.parametrize(
    ("b", "message"),
    [
        ({1: [plain([1.0, 2.0])]}, "same folds"),
        ({0: [plain([1.0, 2.0], ["s1", "s0"])]}, "same subjects in the same order"),
    ],
)
def test_what_is_not_paired_is_refused(b, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_difference({0: [plain([1.0, 2.0])]}, b)


def test_ninety_five_of_a_hundred_intervals_hold_the_true_difference():
    # 400 repetitions of 2 folds with 40 subjects that differ much, and a difference that varies little.
    covered, generator = 0, np.random.default_rng(0)
    for _ in range(400):
        level = [generator.normal(0, 5, 40) for _ in range(2)]
        a = {fold: [plain(level[fold])] for fold in range(2)}
        b = {fold: [plain(level[fold] + generator.normal(0.3, 1, 40))] for fold in range(2)}
        interval = bootstrap_difference(a, b, draws=400).interval
        assert interval is not None
        covered += interval.low <= 0.3 <= interval.high
    assert 0.91 <= covered / 400 <= 0.98
