"""A method beside another reader: exact identities, every choice written out, and a method that is another reader."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from mrbench.interfaces.metric import Key
from mrbench.metrics import PUBLISHED, STRICT, energy_score, ged_unbiased
from mrbench.metrics.equal_terms import exceeding, exceeding_both, expected_best, soft_difference

OF_SAMPLES = ("dice_max_minus_readers", "dice_soft_minus_readers")
OF_ONE = ("dice_minus_reader", "dice_minus_majority")
GRID = np.mgrid[:10, :10]
TENTHS = (1, 3, 5, 7, 9)


def read(rng, n, *, careless=0.0):
    """``(n, 10, 10)`` masks of readers of one population: boxes of random place and size, a tenth of them empty.

    ``careless``: the share of the masks that lie somewhere else.
    """
    low = rng.integers(0, 3, (2, n)) + 4 * (rng.random(n) < careless)
    high = low + rng.integers(2, 6, (2, n))
    inside = (low[:, :, None, None] <= GRID[:, None]) & (high[:, :, None, None] > GRID[:, None])
    return inside.all(axis=0) & (rng.random(n) > 0.1)[:, None, None]


def distance(a, b):
    union = int((a | b).sum())
    return Fraction(union - int((a & b).sum()), union or 1)


def dice(a, b):
    total = int(a.sum() + b.sum())
    return Fraction(2 * int((a & b).sum()), total) if total else Fraction(1)


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def held_out(samples, rater):
    """The fair energy score, in fractions."""
    return mean(distance(q, rater) for q in samples) - mean(distance(a, b) for a, b in combinations(samples, 2)) / 2


@pytest.mark.parametrize(("s", "r"), [(2, 3), (5, 3), (3, 4), (4, 6)])
def test_the_fair_energy_score_of_people_is_half_their_distance_to_the_last_digit(s, r):
    rng = np.random.default_rng(s * r)
    raters, samples = read(rng, r), read(rng, s)
    people = mean(held_out(np.delete(raters, i, axis=0), raters[i]) for i in range(r))
    method = mean(held_out(samples, rater) for rater in raters)
    assert people == mean(distance(a, b) for a, b in combinations(raters, 2)) / 2
    assert ged_unbiased(raters, samples) == pytest.approx(float(2 * (method - people)), abs=1e-15)
    by_hand = [energy_score(raters[i : i + 1], np.delete(raters, i, axis=0)) for i in range(r)]
    assert np.mean(by_hand) == pytest.approx(float(people), abs=1e-15)


def test_an_energy_score_of_one_sample_is_refused(squares):
    with pytest.raises(ValueError, match="energy_score needs two samples, whose distance is a part of it; got 1"):
        energy_score(squares(2, 4), squares(4))


def test_the_expected_best_is_the_mean_over_all_choices():
    values = np.random.default_rng(0).random((6, 3))
    for k in range(1, 7):
        expected = np.mean([values[list(own)].max(axis=0) for own in combinations(range(6), k)], axis=0)
        assert expected_best(values, k) == pytest.approx(expected, abs=1e-15)


def test_the_best_of_many_samples_is_expected_without_overflow():
    values = np.linspace(0, 1, 2001)[:, None]
    assert expected_best(values, 1) == pytest.approx(0.5)
    # The greatest of k of n numbers 1 to n is expected to be k (n + 1) / (k + 1).
    assert expected_best(values, 1000) == pytest.approx((1000 * 2002 / 1001 - 1) / 2000)


@pytest.mark.parametrize("n", range(1, 5))
def test_chances_to_exceed_are_those_of_all_choices(n):
    for v in range(6):
        marks = [1] * v + [0] * (5 - v)
        chosen = list(combinations(range(5), n))
        above = [[Fraction(sum(marks[i] for i in own), n) > Fraction(t, 10) for t in TENTHS] for own in chosen]
        rest = [[Fraction(v - sum(marks[i] for i in own), 5 - n) > Fraction(t, 10) for t in TENTHS] for own in chosen]
        assert exceeding(5, n)[v] == pytest.approx(np.mean(above, axis=0), abs=1e-15)
        assert exceeding_both(5, n)[v] == pytest.approx(np.mean(np.logical_and(above, rest), axis=0), abs=1e-15)


class Written:
    """Every construction, by plain loops over all choices of masks."""

    def __init__(self, raters, samples, one):
        self.raters, self.samples, self.one = list(raters), list(samples), one

    def rest(self, r):
        return [own for i, own in enumerate(self.raters) if i != r]

    def dice_max_minus_readers(self):
        k = len(self.raters) - 1
        return mean(
            mean(max(dice(q, y) for q in chosen) for chosen in combinations(self.samples, k))
            - max(dice(q, y) for q in self.rest(r))
            for r, y in enumerate(self.raters)
        )

    def dice_minus_reader(self):
        return mean(dice(self.one, y) - mean(dice(q, y) for q in self.rest(r)) for r, y in enumerate(self.raters))

    def dice_minus_majority(self):
        majority = [2 * np.sum(self.rest(r), axis=0) >= len(self.raters) - 1 for r in range(len(self.raters))]
        return mean(dice(self.one, y) - dice(m, y) for m, y in zip(majority, self.raters, strict=True))

    def soft_pixels(self):
        """Shared and summed pixels at each threshold, of the samples with the other half, then of the raters."""
        numbers = range(len(self.raters))
        halves = list(combinations(numbers, len(numbers) // 2))
        rest = [[self.raters[i] for i in numbers if i not in half] for half in halves]
        own = [[self.raters[i] for i in half] for half in halves]
        drawn = list(combinations(self.samples, len(numbers) // 2))
        pairs = [[(q, b) for q in drawn for b in rest], list(zip(own, rest, strict=True))]
        return [[[mean(f(above(a, t), above(b, t)) for a, b in pair) for t in TENTHS] for f in (shared, summed)]
                for pair in pairs]  # fmt: skip


def above(masks, tenths):
    return 10 * np.sum(masks, axis=0) > tenths * len(masks)


def shared(a, b):
    return Fraction(int((a & b).sum()))


def summed(a, b):
    return Fraction(int(a.sum() + b.sum()))


@pytest.mark.parametrize(("s", "r"), [(1, 2), (4, 2), (2, 3), (5, 3), (3, 4), (6, 4), (4, 5)])
def test_metrics_are_what_is_written_out(s, r, tabulate, every_metric):
    rng = np.random.default_rng(10 * s + r)
    for _ in range(4):
        raters, samples, one = read(rng, r), read(rng, s), read(rng, 1)[0]
        tables, written = tabulate(raters, samples=samples, consensus=one), Written(raters, samples, one)
        for name in ("dice_max_minus_readers", *OF_ONE):
            found = every_metric[name](tables, STRICT)[Key(1)]
            assert found == pytest.approx([float(getattr(written, name)())], abs=1e-14), name
        pixels = every_metric["dice_soft_minus_readers"](tables, STRICT)[Key(1)]
        assert pixels == pytest.approx(np.array(written.soft_pixels(), float).ravel(), abs=1e-11)


def test_absent_raters_do_not_count(tabulate, every_metric):
    rng = np.random.default_rng(1)
    raters, samples, one = read(rng, 4), read(rng, 5), read(rng, 1)[0]
    truth = np.array([True, False, True, True])
    some, alone = (tabulate(raters, truth=truth, samples=samples, consensus=one),
                   tabulate(raters[truth], samples=samples, consensus=one))  # fmt: skip
    for name in (*OF_SAMPLES, *OF_ONE):
        assert every_metric[name](some, STRICT)[Key(1)] == pytest.approx(every_metric[name](alone, STRICT)[Key(1)])


def test_what_cannot_be_set_beside_another_reader_is_missing(squares, tabulate, every_metric):
    def found(tables):
        return {name for name in (*OF_SAMPLES, *OF_ONE) if every_metric[name](tables, STRICT)}

    def applying(tables):
        return {name for name in (*OF_SAMPLES, *OF_ONE) if every_metric[name].applies(tables, Key(1))}

    one_rater = tabulate(squares(4), samples=squares(2, 4), consensus=squares(4)[0])
    assert found(one_rater) == applying(one_rater) == set()
    few = tabulate(squares(2, 4, 6, 8), samples=squares(4, 6))  # 3 others, halves of 2
    assert found(few) == {"dice_soft_minus_readers"}
    assert applying(few) >= set(OF_SAMPLES)  # and lack a value, which is counted
    single = tabulate(squares(2, 4, 6, 8), samples=squares(4))
    assert found(single) == set()
    own = tabulate(squares(2, 4), predictions=enumerate(squares(2, 4)))
    assert found(own) == set()


def test_samples_in_turn_are_not_set_beside_another_reader(squares, tabulate, every_metric):
    tables = replace(tabulate(squares(2, 4, 6), samples=squares(2, 4, 6), consensus=squares(4)[0]), in_turn=True)
    assert {name for name in (*OF_SAMPLES, *OF_ONE) if every_metric[name](tables, STRICT)} == set(OF_ONE)
    assert not any(every_metric[name].applies(tables, Key(1)) for name in OF_SAMPLES)


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
def test_nothing_marked_by_anybody_is_as_another_reader(protocol, squares, tabulate, every_metric):
    tables = tabulate(squares(0, 0, 0), samples=squares(0, 0), consensus=squares(0)[0])
    for name in (*OF_SAMPLES, *OF_ONE):
        (statistics,) = every_metric[name](tables, protocol).values()
        assert every_metric[name].finalise(statistics) == pytest.approx(0, abs=1e-12)


NAMES = ("ged_unbiased", *OF_SAMPLES, "dice_minus_reader")
CASES = 800


def in_blocks(statistics, metric, n=30):
    """The value of all cases, and its standard error from blocks of cases."""
    blocks = [metric.finalise(np.mean(block, axis=0)) for block in np.array_split(statistics, n)]
    return metric.finalise(np.mean(statistics, axis=0)), np.std(blocks, ddof=1) / n**0.5


@pytest.mark.parametrize(("s", "r"), [(2, 2), (9, 2), (2, 3), (12, 3), (3, 4), (20, 4), (4, 5)])
def test_a_method_that_is_another_reader_differs_by_nothing_at_any_s_and_r(s, r, tabulate, every_metric):
    rng = np.random.default_rng(100 * s + r)
    found = {name: [] for name in NAMES}
    for _ in range(CASES):
        drawn = read(rng, s + 1)
        tables = tabulate(read(rng, r), samples=drawn[:s], consensus=drawn[s])
        for name in NAMES:
            found[name] += every_metric[name](tables, STRICT).values()
    for name, statistics in found.items():
        value, error = in_blocks(statistics, every_metric[name])
        assert len(statistics) == CASES
        assert abs(value) < 4 * error, name


@pytest.mark.parametrize("r", [2, 3, 4])
def test_the_value_of_a_careless_method_does_not_depend_on_s(r, tabulate, every_metric):
    rng = np.random.default_rng(r)
    by_s = {}
    for s in (3, 8, 30):
        found = {name: [] for name in ("ged_unbiased", *OF_SAMPLES)}
        for _ in range(CASES):
            tables = tabulate(read(rng, r), samples=read(rng, s, careless=0.5))
            for name, own in found.items():
                own.extend(every_metric[name](tables, STRICT).values())
        by_s[s] = {name: in_blocks(own, every_metric[name]) for name, own in found.items()}
    for name in by_s[3]:
        (first, error), *others = (own[name] for own in by_s.values())
        worse = first > 0 if name == "ged_unbiased" else first < 0
        assert worse
        assert abs(first) > 4 * error
        assert all(abs(value - first) < 4 * np.hypot(error, own) for value, own in others), name


@pytest.mark.parametrize("r", [3, 4, 6])
def test_a_method_that_is_the_majority_of_others_is_as_that_majority(r, tabulate, every_metric):
    rng, metric = np.random.default_rng(r), every_metric["dice_minus_majority"]
    found = []
    for _ in range(CASES):
        majority = 2 * read(rng, r - 1).sum(axis=0) >= r - 1
        found += metric(tabulate(read(rng, r), consensus=majority), STRICT).values()
    value, error = in_blocks(found, metric)
    assert abs(value) < 4 * error


def test_a_ratio_of_each_case_would_depend_on_s(tabulate, every_metric):
    """Why pixels are summed over a fold: the mean of the cases' own soft Dice puts another reader above readers."""
    rng, metric = np.random.default_rng(5), every_metric["dice_soft_minus_readers"]
    found = [
        value for _ in range(CASES) for value in metric(tabulate(read(rng, 4), samples=read(rng, 12)), STRICT).values()
    ]
    alone = np.array([soft_difference(own) for own in found])
    assert alone.mean() > 4 * alone.std() / CASES**0.5
