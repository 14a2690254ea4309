"""Holm's correction: by hand, its bounds, and the errors that it allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrbench.statistics import holm


def test_four_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_none_and_one():
    assert holm([]) == []
    assert holm([0.2]) == [0.2]


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=20))
def test_it_lies_between_the_p_itself_and_bonferronis_and_keeps_the_order(p):
    found = np.array(holm(p))
    assert (found >= np.array(p) - 1e-15).all()
    assert (found <= np.minimum(1, np.array(p) * len(p)) + 1e-12).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()


def test_among_true_nulls_one_family_in_twenty_has_a_false_one():
    families = np.random.default_rng(0).random((2000, 10))
    wrong = np.mean([min(holm(family)) < 0.05 for family in families.tolist()])
    assert wrong == pytest.approx(0.05, abs=0.016)
