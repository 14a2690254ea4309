import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.metrics import auroc_disagreement
from mrbench.metrics.disagreement import LEVELS, auroc_of, level_counts
from mrbench.metrics.shares import count_shares

MASKS = st.integers(1, 6).flatmap(lambda n: arrays(bool, (n, 3, 4)))


def strip(*values):
    return np.array(values)[None, None]


RATERS = np.array([[[True, True, False, False]], [[True, False, True, False]]])
"""They disagree on the two pixels in the middle."""


def test_entropy_above_all_others_where_raters_disagree_ranks_fully():
    assert auroc_disagreement(RATERS, strip(0.9, 0.5, 0.6, 0.05)) == 1
    assert auroc_disagreement(RATERS, strip(0.5, 0.99, 0.0, 0.6)) == 0


def test_ties_count_one_half():
    assert auroc_disagreement(RATERS, strip(1.0, 1.0, 0.0, 0.0)) == 0.5
    # Of four pairs one is right, two are tied, one is wrong.
    assert auroc_disagreement(RATERS, strip(0.0, 0.3, 0.0, 0.3)) == pytest.approx((1 + 2 / 2) / 4)


def test_a_share_and_its_rest_have_the_same_entropy():
    # As floats, 1 - 0.7 is not 0.3: votes are compared as integers.
    samples = np.arange(10)[:, None, None] < np.array([[3, 7, 3, 7]])
    assert auroc_disagreement(RATERS, samples) == 0.5


def test_where_raters_agree_everywhere_or_nowhere_it_is_missing():
    masks = np.zeros((2, 1, 4), bool)
    assert auroc_disagreement(masks, masks) is None
    assert auroc_disagreement(masks[:1], masks) is None
    assert auroc_disagreement(np.stack([masks[0], ~masks[0]]), masks) is None


@given(MASKS, MASKS)
def test_binned_counts_of_votes_are_exact(samples, raters):
    binned = auroc_of(level_counts(count_shares(raters, samples)))
    assert binned == pytest.approx(auroc_disagreement(raters, samples), abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 50, 100, 127, 128])
def test_every_count_of_votes_up_to_128_samples_has_a_level_of_its_own(n):
    votes = np.arange(n // 2 + 1)
    samples = np.arange(n)[:, None, None] < votes[None, None]
    counts = level_counts(count_shares(np.zeros((1, 1, len(votes)), bool), samples))
    assert counts[0].max() == 1
    assert counts.shape == (2, LEVELS)


def test_counts_of_cases_with_different_numbers_of_samples_add_up():
    few = level_counts(count_shares(RATERS, np.ones((1, 1, 4), bool)))
    many = level_counts(count_shares(RATERS, np.ones((9, 1, 4), bool)))
    assert auroc_of(few + many) == 0.5


def test_pixels_of_several_cases_are_ranked_together():
    rng = np.random.default_rng(1)
    samples, raters = rng.random((7, 3, 4, 5)) < 0.5, rng.random((3, 3, 4, 5)) < 0.6
    pooled = sum(level_counts(count_shares(raters[:, n], samples[:, n])) for n in range(3))
    assert auroc_of(pooled) == pytest.approx(auroc_disagreement(raters, samples), abs=1e-12)
