from itertools import permutations

import numpy as np
import pytest

from mrbench.metrics import PUBLISHED, STRICT, expert_distance_mean, expert_distances, pair_distances
from mrbench.metrics.experts import expert_distance_mean_of, expert_distances_of, pair_distances_of


def distances(rng, *leading):
    upper = np.triu(rng.random((*leading, 4, 4)), 1)
    return upper + np.swapaxes(upper, -1, -2)


def test_pairs_are_listed_by_expert(squares):
    table = pair_distances(squares(2, 4, 8))
    assert table.tolist() == [[1 - 4 / 16, 1 - 4 / 64], [1 - 4 / 16, 1 - 16 / 64], [1 - 4 / 64, 1 - 16 / 64]]
    assert pair_distances(squares(2, 4, 6, 8)).shape == (4, 3)


def test_every_draw_is_one_of_the_shuffles():
    distance = distances(np.random.default_rng(0))
    possible = {
        (distance[a, c] + distance[a, b], distance[e, c] + distance[e, b]) for a, b, c, e in permutations(range(4))
    }
    drawn = {tuple(expert_distances_of(distance, seed).tolist()) for seed in range(400)}
    assert {tuple(np.round(pair, 12)) for pair in drawn} == {tuple(np.round(pair, 12)) for pair in possible}


def test_the_expectation_is_the_mean_over_all_shuffles():
    distance = distances(np.random.default_rng(1))
    shuffles = list(permutations(range(4)))
    for first in (0, 3):
        mean = np.mean([distance[p[first], p[2]] + distance[p[first], p[1]] for p in shuffles])
        assert expert_distance_mean_of(distance) == pytest.approx(mean, abs=1e-12)


def test_many_cases_are_shuffled_each_on_its_own_and_reproducibly():
    distance = np.broadcast_to(distances(np.random.default_rng(2)), (4000, 4, 4))
    drawn = expert_distances_of(distance, seed=5)
    assert np.array_equal(drawn, expert_distances_of(distance, seed=5))
    assert np.array_equal(drawn[:7], expert_distances_of(distance[:7], seed=5)), "later cases change no draw"
    assert len(np.unique(drawn[:, 0])) > 6
    error = drawn.std(axis=0) / 4000**0.5
    assert (np.abs(drawn.mean(axis=0) - expert_distance_mean_of(distance)[0]) < 4 * error).all()


def test_leading_axes_are_cases():
    distance = distances(np.random.default_rng(3), 2, 3)
    assert pair_distances_of(distance).shape == (2, 3, 4, 3)
    assert pair_distances_of(distance)[1, 2].tolist() == pair_distances_of(distance[1, 2]).tolist()
    assert expert_distances_of(distance, 0).shape == (2, 3, 2)
    assert expert_distance_mean_of(distance)[1, 2] == pytest.approx(expert_distance_mean_of(distance[1, 2]))


def test_equal_experts_are_at_distance_0_and_strangers_at_2(squares):
    assert expert_distances(squares(4, 4, 4, 4), seed=0).tolist() == [0, 0]
    apart = np.eye(4, dtype=bool)[:, None]
    assert expert_distances(apart, seed=0).tolist() == [2, 2]
    assert expert_distance_mean(apart) == 2


def test_empty_experts_are_equal_or_as_the_figures_have_it_apart(squares):
    empty = squares(0, 0, 0, 0)
    assert expert_distance_mean(empty, protocol=STRICT) == 0
    assert expert_distances(empty, seed=0, protocol=PUBLISHED).tolist() == [2, 2]


def test_four_experts_are_needed_for_a_shuffle_and_two_for_a_pair(squares):
    with pytest.raises(ValueError, match="distance to two random experts is of four masks; got 3"):
        expert_distances(squares(2, 4, 6), seed=0)
    with pytest.raises(ValueError, match="a pair needs two experts; got 1"):
        pair_distances(squares(2))
