"""Brier's parts add up to it, exactly, whatever is binned."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench.interfaces.metric import Key
from mrbench.metrics import STRICT
from mrbench.metrics.scores import ScoreCollector
from mrbench.metrics.scoring import reduce_fold, score_case

PARTS = ("brier_reliability", "brier_resolution", "brier_uncertainty")


def fold(cases, every_metric, names):
    scores = ScoreCollector()
    for number, tables in enumerate(cases):
        scores.append(str(number), str(number), score_case([tables], {n: every_metric[n] for n in names}, STRICT))
    return {name: found.value for name, found in reduce_fold(scores.scores(), every_metric, STRICT).items()}


def random_case(rng, tabulate, raters=3, samples=4, side=6):
    """Probabilities that are all different, so that every bin holds several."""
    return tabulate(rng.random((raters, side, side)) < 0.3, samples=rng.random((samples, side, side)))


def test_the_parts_add_up_to_the_score_of_a_fold(tabulate, every_metric):
    rng = np.random.default_rng(0)
    cases = [random_case(rng, tabulate) for _ in range(5)]
    found = fold(cases, every_metric, ("brier", *PARTS))
    reliability, resolution, uncertainty = (found[name] for name in PARTS)
    assert reliability - resolution + uncertainty == pytest.approx(found["brier"], abs=1e-14)
    assert min(reliability, uncertainty) > 0


def test_the_parts_add_up_over_cases_of_other_sizes_and_raters(tabulate, every_metric):
    rng = np.random.default_rng(1)
    sizes = [(1, 5), (2, 7), (5, 4)]
    cases = [random_case(rng, tabulate, raters=r, side=side) for r, side in sizes]
    found = fold(cases, every_metric, PARTS)
    pairs = np.array([r * side**2 for r, side in sizes])
    own = [every_metric["brier"](tables, STRICT)[Key(1)].item() for tables in cases]
    expected = pairs @ own / pairs.sum()
    assert found[PARTS[0]] - found[PARTS[1]] + found[PARTS[2]] == pytest.approx(expected, abs=1e-14)


def test_the_parts_are_those_of_their_definition(tabulate, every_metric):
    rng = np.random.default_rng(2)
    marks, p = rng.random((3, 6, 6)) < 0.3, rng.random((4, 6, 6))
    tables = tabulate(marks, samples=p)
    p, o = np.broadcast_to(p.mean(axis=0), marks.shape).ravel(), marks.ravel().astype(float)
    bins, base = np.ceil(p * 15), o.mean()
    reliability = resolution = 0.0
    for k in np.unique(bins):
        own = bins == k
        share, mean_p, mean_o = own.mean(), p[own].mean(), o[own].mean()
        reliability += share * (mean_p - mean_o) ** 2
        hidden = 2 * np.mean((p[own] - mean_p) * (o[own] - mean_o)) - np.var(p[own])
        resolution += share * ((mean_o - base) ** 2 + hidden)
    found = fold([tables], every_metric, PARTS)
    # Probabilities are kept in float32.
    assert [found[name] for name in PARTS] == pytest.approx([reliability, resolution, base * (1 - base)], abs=1e-6)


def test_a_probability_that_is_the_frequency_is_reliable(tabulate, every_metric):
    marks = np.zeros((4, 4, 4), bool)
    marks[:1, :, :2], marks[:3, :, 2:] = True, True  # a quarter, and three
    p = np.where(np.arange(4) < 2, 0.25, 0.75) * np.ones((1, 4, 4))
    found = fold([tabulate(marks, samples=p)], every_metric, PARTS)
    assert [found[name] for name in PARTS] == pytest.approx([0, 1 / 16, 1 / 4], abs=1e-12)


def test_one_answer_for_all_pixels_resolves_nothing(tabulate, every_metric):
    marks = np.zeros((2, 4, 4), bool)
    marks[:, :2] = True
    found = fold([tabulate(marks, samples=np.full((1, 4, 4), 0.75))], every_metric, PARTS)
    assert [found[name] for name in PARTS] == pytest.approx([1 / 16, 0, 1 / 4], abs=1e-12)


def test_there_are_no_parts_where_the_mean_probability_is_not_known(tabulate, every_metric):
    tables = replace(random_case(np.random.default_rng(3), tabulate), calibration=None)
    assert not any(every_metric[name](tables, STRICT) for name in PARTS)
