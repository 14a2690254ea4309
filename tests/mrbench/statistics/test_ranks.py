"""Ranks in the bootstrap draws."""

import numpy as np
import pytest

from mrbench.statistics import RankEstimate, SubjectTable, bootstrap_ranks, resampled


def folds(values):
    """One fold, one class, a value per subject."""
    values = np.asarray(values, float)
    names = tuple(f"s{i}" for i in range(len(values)))
    return {0: [SubjectTable(names, np.array([1]), values[:, None, None], np.ones((len(values), 1)))]}


def test_a_method_that_is_best_for_every_subject_is_first_in_every_draw():
    values = np.random.default_rng(0).random(10)
    found = bootstrap_ranks([folds(values + 1), folds(values), folds(values + 2)], higher=False)
    assert found == [RankEstimate(2, 2, 2, 0), RankEstimate(1, 1, 1, 1), RankEstimate(3, 3, 3, 0)]
    up = bootstrap_ranks([folds(values + 1), folds(values), folds(values + 2)], higher=True)
    assert [one.mean for one in up] == [2, 3, 1]


def test_equal_methods_share_their_rank_and_the_first_place():
    values = np.arange(5.0)
    assert bootstrap_ranks([folds(values), folds(values)], higher=True) == [RankEstimate(1.5, 1.5, 1.5, 0.5)] * 2


def test_the_share_of_first_places_is_that_of_the_draws():
    generator = np.random.default_rng(2)
    sides = [folds(generator.normal(size=12)) for _ in range(2)]
    one, other = resampled(sides)
    found = bootstrap_ranks(sides, higher=True)
    assert not isinstance(found, str)
    assert found[0].best == pytest.approx(np.mean(one > other))
    assert found[0].mean == pytest.approx(1 + np.mean(one < other))
    assert found[0].best + found[1].best == pytest.approx(1)


def test_one_subject_has_no_ranks_and_what_is_not_paired_is_an_error():
    assert bootstrap_ranks([folds([1.0]), folds([2.0])], higher=True) == (
        "a fold has one subject: its spread cannot be known"
    )
    with pytest.raises(ValueError, match="same subjects"):
        bootstrap_ranks([folds([1.0, 2.0]), folds([1.0, 2.0, 3.0])], higher=True)
