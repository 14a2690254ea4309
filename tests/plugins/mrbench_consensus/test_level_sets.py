import numpy as np
import pytest

from mrbench import Raters, Trial
from mrbench.consensus import majority_vote
from mrbench_consensus.level_sets import cycled, fuse, level_sets

NESTED = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], np.uint8)


def fused(describe, masks: np.ndarray, present: np.ndarray, n: int, kind: Raters = Raters.RANKED) -> Trial:
    return fuse(masks, present, n, np.random.default_rng(0), describe(kind=kind))


def test_the_sets_lead_from_the_union_to_the_intersection():
    masks = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 0, 0]], np.uint8)
    assert level_sets(masks).astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 0, 0], [0, 1, 0, 0]]


def test_the_sets_of_nested_masks_are_the_masks():
    np.testing.assert_array_equal(level_sets(NESTED)[::-1], NESTED)


def test_a_rater_who_marked_nothing_empties_the_last_set_only():
    masks = NESTED.copy()
    masks[0] = 0
    assert level_sets(masks).sum(axis=1).tolist() == [4, 3, 2, 0]


@pytest.mark.parametrize("levels", range(1, 9))
@pytest.mark.parametrize("n", [0, 1, 3, 4, 10, 50])
def test_samples_take_the_levels_in_turn(levels: int, n: int):
    counts = np.bincount(cycled(levels, n), minlength=levels)
    assert counts.sum() == n
    assert np.ptp(counts) <= 1


def test_the_levels_that_appear_once_more_are_in_the_middle():
    assert np.bincount(cycled(4, 10)).tolist() == [2, 3, 3, 2]
    assert np.bincount(cycled(5, 8)).tolist() == [1, 2, 2, 2, 1]


def test_the_first_samples_are_the_same_for_every_larger_number():
    assert cycled(4, 50)[:10] == cycled(4, 10)


@pytest.mark.parametrize("raters", range(1, 8))
def test_the_first_sample_is_the_majority_vote(raters: int):
    masks = np.random.default_rng(raters).integers(0, 2, (raters, 20), dtype=np.uint8)
    np.testing.assert_array_equal(level_sets(masks)[cycled(raters, 1)[0]], majority_vote(masks, 2))


def test_as_many_samples_as_raters_are_all_the_sets(describe):
    trial = fused(describe, NESTED, np.ones(4, bool), 4)
    assert sorted(trial.samples.sum(axis=1).tolist()) == [1, 2, 3, 4]
    assert trial.truth is None


def test_the_smallest_ranked_rater_gets_the_intersection_and_the_largest_the_union(describe):
    masks = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 0]], np.uint8)
    raters = fused(describe, masks, np.ones(4, bool), 1).raters
    votes = masks.sum(axis=0)
    np.testing.assert_array_equal(list(raters.values()), [votes >= 4, votes >= 3, votes >= 2, votes >= 1])
    assert list(raters) == [0, 1, 2, 3]


def test_absent_raters_are_skipped_in_the_ranking(describe):
    masks, present = NESTED.copy(), np.array([True, False, True, True])
    masks[1] = 1
    trial = fused(describe, masks, present, 6)
    np.testing.assert_array_equal(list(trial.raters.values()), NESTED[present])
    assert list(trial.raters) == [0, 2, 3]
    assert sorted(trial.samples.sum(axis=1).tolist()) == [1, 1, 3, 3, 4, 4]
    assert trial.truth is None


@pytest.mark.parametrize("kind", [Raters.IDENTIFIED, Raters.EXCHANGEABLE])
def test_raters_who_are_not_ranked_get_no_prediction(describe, kind: Raters):
    trial = fused(describe, NESTED, np.ones(4, bool), 3, kind)
    assert not trial.raters
    assert len(trial.samples) == 3
