"""On how many data sets something holds: hand-made p, Holm as an oracle, and false claims counted."""

import numpy as np
import pytest

from mrbench.statistics import holm, least_counts, partial_conjunction


def test_the_p_of_u_of_n_is_the_uth_smallest_times_those_that_are_left():
    assert partial_conjunction([0.2, 0.01, 0.03]) == pytest.approx([0.03, 0.06, 0.2])


def test_a_claim_of_more_data_sets_is_never_surer_than_one_of_fewer():
    assert partial_conjunction([0.04, 0.03, 0.05]) == pytest.approx([0.09, 0.09, 0.09])
    assert partial_conjunction([0.9, 0.8]) == [1.0, 1.0]


def test_of_one_method_the_count_is_what_holm_rejects():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = rng.beta(0.2, 1, size=rng.integers(1, 8)).tolist()
        assert least_counts([p]) == [sum(own < 0.05 for own in holm(p))]


def test_methods_pay_for_each_other():
    sure, nearly = [0.001, 0.001], [0.02, 0.02]
    assert least_counts([nearly]) == [2]
    assert least_counts([sure, nearly]) == [2, 2], "Holm: the surer one is out of the way"
    assert least_counts([nearly, nearly, nearly]) == [0, 0, 0]


def test_methods_of_other_data_sets_have_their_own_number():
    assert least_counts([[0.001], [0.001, 0.001, 0.9], []]) == [1, 2, 0]
    assert least_counts([]) == []


def test_false_claims_of_more_data_sets_than_hold_are_rare():
    # Five methods on four data sets; two hold on each: a count above two is false.
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(2000):
        null = rng.uniform(size=(5, 2))
        false += any(count > 2 for count in least_counts(np.hstack([null, np.full((5, 2), 1e-6)]).tolist()))
    assert false / 2000 < 0.06
