"""Kappa and alpha against published worked examples, plain loops and a library."""

import krippendorff
import numpy as np
import pytest

from mrbench.agreement.chance import alpha_of, coincidences, fleiss_kappa
from mrbench.consensus.patterns import find_patterns


def counted(masks, classes):
    found = find_patterns(masks, classes)
    votes = np.stack([(found.decisions == k).sum(axis=0) for k in range(classes)])
    return votes, found.counts


def test_kappa_of_the_example_that_textbooks_print():
    # Ten subjects, fourteen raters, five categories: Wikipedia's worked example of Fleiss' kappa, 0.210.
    table = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
             [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]  # fmt: skip
    assert fleiss_kappa(np.array(table).T, np.ones(10, int)) == pytest.approx(0.20993, abs=5e-6)


def test_alpha_of_krippendorffs_example_with_absent_coders():
    # Krippendorff 2011, section C: three coders of fifteen units, some absent; nominal alpha is 0.691.
    votes = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 2, 0, 0], [2, 0, 0, 0], [0, 0, 2, 0], [0, 0, 2, 1], [0, 0, 0, 3],
             [1, 0, 1, 0], [0, 2, 0, 0], [2, 0, 0, 0], [2, 0, 0, 0], [0, 0, 2, 0], [0, 0, 2, 0], [0, 0, 0, 0],
             [0, 0, 1, 1]]  # fmt: skip
    assert alpha_of(coincidences(np.array(votes).T, np.ones(15, int))) == pytest.approx(0.691358, abs=5e-7)


@pytest.mark.parametrize("classes", [2, 4])
def test_alpha_is_that_of_the_library(classes):
    masks = np.random.default_rng(0).integers(0, classes, (5, 24, 24))
    masks[:, :12] = masks[:1, :12]
    expected = krippendorff.alpha(reliability_data=masks.reshape(5, -1), level_of_measurement="nominal")
    assert alpha_of(coincidences(*counted(masks, classes))) == pytest.approx(expected, abs=1e-12)


def test_alpha_of_several_cases_with_absent_raters_is_that_of_the_library():
    rng = np.random.default_rng(0)
    ratings = np.where(rng.random((4, 300)) < 0.2, rng.integers(0, 2, (4, 300)), rng.integers(0, 2, 300))
    ratings = ratings.astype(float)
    ratings[0, :100], ratings[1:, 200:] = np.nan, np.nan  # one absent in the first case, three in the last
    matrix = np.zeros((2, 2))
    for start in (0, 100, 200):
        case = ratings[:, start : start + 100]
        looked = case[~np.isnan(case).any(axis=1)].astype(int)
        matrix += coincidences(*counted(looked, 2))
    expected = krippendorff.alpha(reliability_data=ratings, level_of_measurement="nominal")
    assert alpha_of(matrix) == pytest.approx(expected, abs=1e-12)


def test_kappa_is_that_of_a_plain_loop_over_pixels():
    masks = np.random.default_rng(2).random((3, 10, 10)) < np.linspace(0.1, 0.9, 10)
    pixels = masks.reshape(3, -1).T
    agreeing = np.mean([np.mean([a == b for i, a in enumerate(p) for j, b in enumerate(p) if i != j]) for p in pixels])
    share = pixels.mean()
    chance = share**2 + (1 - share) ** 2
    assert fleiss_kappa(*counted(masks, 2)) == pytest.approx((agreeing - chance) / (1 - chance), abs=1e-12)


def test_alpha_differs_from_kappa_by_the_smallness_of_the_sample():
    masks = np.random.default_rng(3).random((4, 6, 6)) < 0.4
    kappa, alpha = fleiss_kappa(*counted(masks, 2)), alpha_of(coincidences(*counted(masks, 2)))
    assert alpha == pytest.approx(kappa + (1 - kappa) / masks.size, abs=1e-12)


@pytest.mark.parametrize("filled", [False, True])
def test_one_label_only_has_neither(filled):
    votes, counts = counted(np.full((3, 4, 4), filled), 2)
    assert np.isnan(fleiss_kappa(votes, counts))
    assert np.isnan(alpha_of(coincidences(votes, counts)))


def test_one_rater_alone_has_neither():
    votes, counts = counted(np.eye(4, dtype=bool)[None], 2)
    assert np.isnan(fleiss_kappa(votes, counts))
    assert np.isnan(alpha_of(coincidences(votes, counts)))


def test_raters_who_agree_have_one():
    votes, counts = counted(np.stack([np.eye(4, dtype=bool)] * 3), 2)
    assert fleiss_kappa(votes, counts) == pytest.approx(1)
    assert alpha_of(coincidences(votes, counts)) == pytest.approx(1)
