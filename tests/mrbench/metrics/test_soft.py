import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mrbench.metrics import PUBLISHED, STRICT, dice_soft, dice_soft_prob

MASKS = st.integers(1, 10).flatmap(lambda n: arrays(bool, (n, 2, 3)))


def marked(votes, n):
    """``(n, 1, 1)`` masks of one pixel, ``votes`` of which mark it."""
    return (np.arange(n) < votes).reshape(n, 1, 1)


@pytest.mark.parametrize(("votes", "n"), [(5, 50), (15, 50), (25, 50), (35, 50), (45, 50), (2, 4), (1, 10), (7, 10)])
def test_an_exact_tie_is_not_greater(votes, n):
    # The raters mark the pixel at every threshold; the samples only at those strictly below their share.
    below = sum(10 * votes > k * n for k in (1, 3, 5, 7, 9))
    assert dice_soft(marked(1, 1), marked(votes, n)) == below / 5
    assert dice_soft(marked(1, 1), marked(votes + 1, n)) >= (below + 1) / 5


@given(MASKS, MASKS)
def test_certain_probabilities_score_as_votes(samples, raters):
    assert dice_soft_prob(raters, samples.astype(np.float32)) == dice_soft(raters, samples)


@given(MASKS, MASKS, st.randoms(use_true_random=False))
def test_order_of_samples_and_raters_does_not_matter(samples, raters, random):
    mixed = [masks[random.sample(range(len(masks)), len(masks))] for masks in (raters, samples)]
    assert dice_soft(*mixed) == dice_soft(raters, samples)


@given(MASKS)
def test_a_set_agrees_with_itself(masks):
    assert dice_soft(masks, masks) == 1


def test_nothing_marked_by_anybody_scores_1(squares):
    for protocol in (STRICT, PUBLISHED):
        assert dice_soft(squares(0, 0), squares(0), protocol=protocol) == 1


def test_votes_are_not_probabilities():
    with pytest.raises(ValueError, match="samples must be probabilities, floats"):
        dice_soft_prob(marked(1, 2), marked(1, 2))


def test_probabilities_are_not_votes():
    with pytest.raises(ValueError, match="samples must be boolean masks"):
        dice_soft(marked(1, 2), np.ones((2, 1, 1)))
