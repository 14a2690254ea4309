"""The clustered signed-rank test: by hand, against Wilcoxon's, against drawing one case per subject."""

import numpy as np
import pytest
from scipy import stats

from mrbench.statistics import clustered_signed_rank
from mrbench.statistics.signed_rank import subject_scores


def test_three_subjects_by_hand():
    # a: 1, -4; b: 2; c: 3, 5, 6.
    # a's 1 lies below all others: rank 1. Its 4: above all of b (1) and a third of c (1/3): rank 1 + 1 + 1/3.
    # b's 2: above half of a and none of c: rank 1.5. c's 3: half of a, b; 5 and 6: a and b.
    values, subjects = np.array([1.0, -4, 2, 3, 5, 6]), ["a", "a", "b", "c", "c", "c"]
    expected = [(1 - 7 / 3) / 2, 1.5, (2.5 + 3 + 3) / 3]
    assert subject_scores(values, subjects) == pytest.approx(expected)
    # Sum 11/3; only +++ and its mirror image lie farther: |a| is smallest, so 4 of 8 lie as far.
    found = clustered_signed_rank(values, subjects)
    assert found.statistic == pytest.approx(sum(expected))
    assert (found.p, found.n, found.how) == (4 / 8, 3, "all 8 exchanges")


@pytest.mark.parametrize("seed", range(4))
def test_with_one_case_per_subject_it_is_wilcoxons_exact_test(seed):
    values = np.random.default_rng(seed).normal(0.4, 1, 12)
    found = clustered_signed_rank(values, [f"s{i}" for i in range(12)])
    assert found.p == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)


def test_the_statistic_is_the_mean_signed_rank_over_all_draws_of_one_case_per_subject():
    generator = np.random.default_rng(1)
    cases = [generator.normal(0.3, 1, n) for n in (2, 3, 1, 4)]
    sums = []
    for draw in np.ndindex(*(len(own) for own in cases)):
        picked = np.array([own[place] for own, place in zip(cases, draw, strict=True)])
        sums.append((np.sign(picked) * stats.rankdata(np.abs(picked))).sum())
    names = [str(n) for n, own in enumerate(cases) for _ in own]
    assert subject_scores(np.concatenate(cases), names).sum() == pytest.approx(np.mean(sums))


def test_ties_share_ranks_and_differences_of_zero_are_ranked_and_left_out():
    scores = subject_scores(np.array([0.0, 1, -1, 2]), ["a", "b", "c", "d"])
    assert scores == pytest.approx([0, 2.5, -2.5, 4])


def test_cases_of_a_subject_add_nothing_that_the_subject_has_not_said():
    # Thirty equal cases of each of four subjects are no more than four cases.
    values, names = np.repeat([1.0, 2, 3, 4], 30), np.repeat(["a", "b", "c", "d"], 30)
    assert clustered_signed_rank(values, names).p == 2 / 16


def test_what_it_cannot_do_is_refused_with_the_reason():
    assert clustered_signed_rank([1.0, 2.0], ["a", "a"]).reason == "one subject: nothing to exchange it with"
    assert clustered_signed_rank([0.0, 0.0], ["a", "b"]).reason == "no case differs"
