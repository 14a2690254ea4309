"""Rank histogram of areas: where a rater stands among the samples, and how far from flat all of them are."""

from dataclasses import replace

import numpy as np
import pytest

from mrbench.interfaces.metric import Key
from mrbench.metrics import STRICT
from mrbench.metrics.rank_histogram import BINS, binned, departure, expected_departure, ranks_of

NAME = "rank_histogram_area"


def test_a_rank_counts_the_smaller_samples(squares, tabulate, every_metric):
    tables = tabulate(squares(1, 5, 9), samples=squares(2, 4, 6, 8))
    counts = every_metric[NAME](tables, STRICT)[Key(1)][:-1]
    assert counts.reshape(5, 2).sum(axis=1).tolist() == [1, 0, 1, 0, 1]  # two parts for each of five ranks


def test_ranks_among_equal_areas_are_drawn_once_and_for_all(squares, tabulate, every_metric):
    def rank(side):
        return int(every_metric[NAME](tabulate(squares(side), samples=squares(*[side] * 9)), STRICT)[Key(1)].argmax())

    assert [rank(side) for side in range(1, 14)] == [rank(side) for side in range(1, 14)]
    assert len({rank(side) for side in range(1, 14)}) > 4


def test_a_case_without_any_mark_has_no_rank_and_lacks_none(squares, tabulate, every_metric):
    nothing, some = (tabulate(squares(0, 0), samples=squares(0, side)) for side in (0, 1))
    assert not every_metric[NAME](nothing, STRICT)
    assert not every_metric[NAME].applies(nothing, Key(1))
    assert every_metric[NAME].applies(some, Key(1))
    assert every_metric[NAME](some, STRICT)[Key(1)].sum() == 2 + expected_departure(2, 2)


def drawn(rng, s, r, spread=1.0):
    """Histograms of many cases; areas of the samples spread ``spread`` times as far as the raters', ties are common."""
    cases = 3000
    found = np.zeros((cases, BINS + 1))
    for case in found:
        samples, raters = (np.rint(20 + 4 * by * rng.standard_normal(n)).astype(int) for by, n in ((spread, s), (1, r)))
        case[:-1] = binned(ranks_of(samples, raters, rng), s, rng)
        case[-1] = expected_departure(s, r)
    return found


@pytest.mark.parametrize("s", [1, 9, 19])
def test_where_parts_and_ranks_coincide_the_chances_are_those_of_ranks(s):
    # Of M = 2, 10 and 20 ranks and 10 parts: both of two raters in one part, by the ranks alone.
    m = s + 1
    same = (2 / (m + 1)) * min(1, m / BINS) + (1 - 2 / (m + 1)) * max(0, (m / BINS - 1) / (m - 1))
    if m < BINS:
        same = (2 / (m + 1)) * (m / BINS)  # of one rank, each of its 5 parts as likely; of two ranks never
    assert expected_departure(s, 2) == pytest.approx(2 * (1 - 1 / BINS) + 2 * (same - 1 / BINS))


@pytest.mark.parametrize(("s", "r"), [(1, 1), (1, 4), (4, 1), (3, 4), (20, 3)])
def test_areas_of_one_kind_depart_as_far_as_expected(s, r):
    blocks = [departure(block.sum(axis=0)) for block in np.array_split(drawn(np.random.default_rng(s), s, r), 300)]
    assert abs(np.mean(blocks) - 1) < 4 * np.std(blocks) / len(blocks) ** 0.5


def test_samples_that_spread_too_little_leave_raters_outside():
    total = drawn(np.random.default_rng(1), 9, 3, spread=0.4).sum(axis=0)
    assert departure(total) > 10
    assert min(total[0], total[9]) > 2 * max(total[2:8])


def test_samples_in_turn_have_no_histogram(squares, tabulate, every_metric):
    tables = replace(tabulate(squares(2, 4), samples=squares(2, 4)), in_turn=True)
    assert not every_metric[NAME](tables, STRICT)
    assert not every_metric[NAME].applies(tables, Key(1))
