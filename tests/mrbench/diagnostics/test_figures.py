"""Figures are means over subjects; what does not apply is none, with its reason, and never 0."""

import numpy as np
import pytest

from mrbench.diagnostics.figures import Figure, Tally, mean_of, ratio_figure


def test_cases_are_averaged_in_their_subject_first():
    tally = Tally()
    for subject, value in (("a", 0.0), ("a", 0.0), ("a", 3.0), ("b", 5.0)):
        tally.add(subject, {"x": (value, 1.0)})
    assert tally.figures()["x"].value == pytest.approx(3)


def test_a_share_is_a_ratio_of_means_and_no_mean_of_ratios():
    found = ratio_figure(np.array([1.0, 1.0]), np.array([1.0, 9.0]), ["a", "b"])
    assert found.value == pytest.approx(0.2)


def test_a_value_that_is_not_finite_does_not_apply_to_its_case():
    tally = Tally()
    tally.add("a", {"x": (float("nan"), 1.0), "y": (float("nan"), 1.0)})
    tally.add("b", {"x": (2.0, 1.0)})
    assert tally.figures() == {"x": Figure(2.0)}


def test_a_share_of_nothing_is_none_and_says_why():
    found = ratio_figure(np.zeros(3), np.zeros(3), ["a", "b", "c"])
    assert (found.value, found.low, found.why) == (None, None, "nothing differs that it could be a share of")


def test_one_subject_has_no_interval_and_equal_subjects_one_of_no_width():
    assert ratio_figure(np.ones(3), np.full(3, 2.0), ["a"] * 3) == Figure(0.5)
    assert ratio_figure(np.ones(3), np.full(3, 2.0), ["a", "b", "c"]) == Figure(0.5, 0.5, 0.5)


def test_the_interval_holds_the_mean_of_a_normal_about_as_often_as_it_says():
    rng, held = np.random.default_rng(0), 0
    for _ in range(200):
        found = ratio_figure(rng.normal(size=40), np.ones(40), [str(n) for n in range(40)])
        assert found.low is not None
        assert found.high is not None
        held += found.low < 0 < found.high
    assert 0.88 < held / 200 < 0.99


def test_a_method_run_has_the_means_of_its_cells_and_a_single_cell_its_interval():
    one, other, none = Figure(1.0, 0.5, 1.5), Figure(2.0, 1.0, 3.0), Figure(None, why="no")
    found = mean_of([{"x": one, "y": none}, {"x": other, "y": none}])
    assert found == {"x": Figure(1.5), "y": none}
    assert mean_of([{"x": one}]) == {"x": one}
    assert mean_of([{"x": none}, {"x": one}]) == {"x": Figure(1.0)}
