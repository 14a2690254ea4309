from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.metrics import dice_match, dice_matched, dice_matrix, dice_max, dice_max_reverse
from mrbench.metrics.matching import matched_of

# ProSeg Fig. 5: rows are the samples p1..p5, columns the raters r1..r4.
FIGURE_5 = np.array(
    [
        [0.811, 0.801, 0.841, 0.831],
        [0.821, 0.823, 0.801, 0.811],
        [0.832, 0.836, 0.861, 0.841],
        [0.826, 0.822, 0.819, 0.863],
        [0.828, 0.842, 0.812, 0.810],
    ]
)
SETS = st.integers(2, 4).flatmap(lambda r: st.tuples(arrays(bool, (r, 2, 3)), arrays(bool, (4, 2, 3))))


def test_the_assignment_of_figure_5_is_the_optimum_and_not_the_greedy_one():
    matched = matched_of(FIGURE_5)
    assert matched.tolist() == [0.821, 0.842, 0.861, 0.863]
    assert matched.mean() == pytest.approx(0.84675, abs=1e-12)


def test_the_best_samples_of_figure_5():
    assert FIGURE_5.max(axis=0).tolist() == [0.832, 0.842, 0.861, 0.863]


@given(SETS)
def test_assignment_is_the_best_of_all_permutations(sets):
    dice = dice_matrix(*sets)
    raters = range(dice.shape[1])
    best = max(np.mean([dice[row, r] for r, row in enumerate(rows)]) for rows in permutations(range(4), len(raters)))
    assert dice_match(*sets) == pytest.approx(best, abs=1e-12)


@given(SETS, st.randoms(use_true_random=False))
def test_order_of_samples_and_raters_does_not_matter(sets, random):
    mixed = [masks[random.sample(range(len(masks)), len(masks))] for masks in sets]
    for metric in (dice_max, dice_max_reverse, dice_match):
        assert metric(*mixed) == pytest.approx(metric(*sets), abs=1e-12)


@given(SETS)
def test_the_best_sample_is_at_least_as_good_as_the_matched_one(sets):
    assert 0 <= dice_match(*sets) <= dice_max(*sets) + 1e-12 <= 1 + 2e-12


def test_samples_that_are_the_raters_in_any_order_match_fully(squares):
    assert dice_matched(squares(2, 4, 6, 8), squares(8, 6, 4, 2)).tolist() == [1, 1, 1, 1]


def test_an_empty_rater_is_matched_by_an_empty_sample(squares):
    assert dice_match(squares(4, 0), squares(0, 4)) == 1


def test_one_good_sample_is_enough_for_the_forward_and_not_for_the_reverse(squares):
    samples, raters = squares(4, 0), squares(4)
    assert (dice_max(raters, samples), dice_max_reverse(raters, samples)) == (1, 0.5)


def test_fewer_samples_than_raters_cannot_be_assigned(squares):
    assert matched_of(FIGURE_5[:3]) is None
    with pytest.raises(ValueError, match="a sample for every rater; got 1 for 2"):
        dice_match(squares(4, 6), squares(4))
