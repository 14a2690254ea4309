"""What method runs have in common, held against plain dictionaries."""

from collections.abc import Sequence

import numpy as np
import pytest
from ragged_scores import RATIO, VALUE, Cell, Side, columns_of, folds_of, random_cell
from stored_runs import scores_of

from mrbench.interfaces.metric import Key, Metric
from mrbench.metrics.protocol import PUBLISHED, STRICT, ScoringProtocol
from mrbench.metrics.scores import ScoreCollector
from mrbench.metrics.scoring import reduce_metric
from mrbench.results.pairing import Paired, aligned, values_by_case
from mrbench.results.reader import FoldScores
from mrbench.results.table import over_folds

PROTOCOLS = pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
METRICS = pytest.mark.parametrize("metric", [VALUE, RATIO], ids=["mean", "pooled"])
SEEDS = pytest.mark.parametrize("seed", range(8))


def random_sides(seed: int, methods: int, missing: float = 0.2) -> list[Side]:
    """Methods with folds and subjects that not all of them have, of one to two seeds."""
    random = np.random.default_rng(seed)
    return [
        {
            fold: [random_cell(random, range(4 * fold, 4 * fold + 6), missing) for _ in range(random.integers(1, 3))]
            for fold in range(4)
            if random.random() >= missing
        }
        for _ in range(methods)
    ]


def kept(sides: Sequence[Side]) -> list[Side]:
    """The oracle: the folds, cases, and classes with raters that all cells of a fold have."""
    found: list[dict[int, list[Cell]]] = [{} for _ in sides]
    for fold in sorted(set.intersection(*(set(side) for side in sides))):
        cells = [cell for side in sides for cell in side[fold]]
        cases = set.intersection(*(set(cell) for cell in cells))
        keys = set.intersection(*({key for case in cases for key in cell[case]} for cell in cells))
        for own, side in zip(found if keys else [], sides, strict=bool(keys)):
            own[fold] = [
                {case: {key: x for key, x in cell[case].items() if key in keys} for case in cases}
                for cell in side[fold]
            ]
    return found


def value_of(cell: Cell, metric: Metric, protocol: ScoringProtocol) -> float:
    """The value of a fold by plain loops."""
    by_class: dict[int, list[float]] = {}
    for key in sorted({key for values in cell.values() for key in values}, key=str):
        having = {case: values[key] for case, values in cell.items() if key in values}
        if metric.pooled:
            value = metric.finalise(sum(having.values(), np.zeros(2)))
        else:
            subjects = {subject for _, subject in having}
            by_subject = [[x[0] for (_, own), x in having.items() if own == subject] for subject in sorted(subjects)]
            cases = by_subject if protocol.by_subject else [[x] for own in by_subject for x in own]
            value = float(np.mean([np.mean(own) for own in cases]))
        by_class.setdefault(key.label, []).append(value)
    return float(np.mean([np.mean(own) for own in by_class.values()]))


def fold_values(side: Side, metric: Metric, protocol: ScoringProtocol) -> list[float]:
    return [float(np.mean([value_of(cell, metric, protocol) for cell in cells])) for cells in side.values()]


@PROTOCOLS
@METRICS
@SEEDS
def test_pairs_are_of_what_both_have(seed: int, metric: Metric, protocol: ScoringProtocol):
    sides = random_sides(seed, 2)
    a, b = kept(sides)
    paired = Paired.of(*map(folds_of, sides), metric, protocol)
    assert paired is not None
    values = [fold_values(side, metric, protocol) for side in (a, b)]
    assert paired.means == pytest.approx([np.mean(own) for own in values], abs=1e-12)
    cases = [list(cells[0]) for cells in a.values()]
    assert paired.cases == sum(map(len, cases))
    n_cases = [sum(len(set().union(*side[fold])) for fold in a) for side in sides]
    assert paired.without_partner == tuple(n - paired.cases for n in n_cases)


@PROTOCOLS
@METRICS
@SEEDS
def test_many_methods_are_aligned_on_what_all_of_them_have(seed: int, metric: Metric, protocol: ScoringProtocol):
    sides = random_sides(seed, 4, missing=0.1)
    tables = aligned([folds_of(side) for side in sides], metric, protocol)
    for own, side in zip(tables, kept(sides), strict=True):
        assert list(own) == list(side)
        for fold, cells in side.items():
            subjects = tuple(sorted({subject for _, subject in cells[0]}))
            assert {table.subjects for table in own[fold]} == {subjects}
            values = [value_of(cell, metric, protocol) for cell in cells]
            assert [table.value() for table in own[fold]] == pytest.approx(values, abs=1e-12)
    labels = [[table.labels.tolist() for tables in own.values() for table in tables[:1]] for own in tables]
    assert all(one == labels[0] for one in labels)


@PROTOCOLS
@METRICS
@SEEDS
def test_where_nothing_is_dropped_the_means_are_those_of_the_tables_bit_for_bit(
    seed: int, metric: Metric, protocol: ScoringProtocol
):
    sides = [folds_of(side) for side in random_sides(seed, 2, missing=0.0)]
    paired = Paired.of(*sides, metric, protocol)
    assert paired is not None
    assert (paired.without_partner, paired.same_columns) == ((0, 0), True)
    for mean, side in zip(paired.means, sides, strict=True):
        values = {fold: [reduce_metric(own, metric, protocol) for own in seeds] for fold, seeds in side.items()}
        assert mean == over_folds(values, len(values), protocol).mean


def cell(*cases: str, keys: Sequence[Key] = (Key(1),)) -> Cell:
    return {(case, case): {key: np.array([0.5, 1.0]) for key in keys} for case in cases}


def test_columns_that_only_one_has_are_dropped_and_told():
    raters = cell("1", "2", keys=[Key(1, 0), Key(1, 1)])
    one = {**raters, ("2", "2"): {Key(1, 0): np.array([0.5, 1.0])}}
    fewer = cell("1", "2", keys=[Key(1, 0)])
    told = [Paired.of({0: [columns_of(raters)]}, {0: [columns_of(other)]}, VALUE, STRICT) for other in (one, fewer)]
    assert [paired.same_columns for paired in told if paired] == [True, False]


def test_what_has_nothing_in_common_has_no_pairs():
    first = folds_of({0: [cell("1")]})
    for other in ({1: [cell("1")]}, {0: [cell("2")]}, {0: [cell("1", keys=[Key(2)])]}, {}):
        assert Paired.of(first, folds_of(other), VALUE, STRICT) is None
        assert aligned([first, folds_of(other)], VALUE, STRICT) == [{}, {}]


def test_raters_of_a_case_are_averaged_within_their_class():
    values = {Key(1, 0): 0.2, Key(1, 1): 0.4, Key(2): 0.9}
    scores = columns_of({("1", "s"): {key: np.array([value, 1.0]) for key, value in values.items()}})
    assert values_by_case(scores, VALUE) == {("1", "s"): pytest.approx((0.3 + 0.9) / 2)}


def test_pairs_are_counted_of_the_cases_to_which_the_metric_applies():
    def side(*gone: str) -> FoldScores:
        values = {f"{name}, 0": {} if name in gone else {"ged": {None: 0.1}} for name in "abcd"}
        return {0: [scores_of(values).of("ged")]}

    for gone, expected in ((("", ""), (4, 4, (0, 0))), (("d", "d"), (3, 4, (0, 0))), (("c", "d"), (2, 4, (1, 1)))):
        paired = Paired.of(*(side(one) for one in gone), VALUE, STRICT)
        assert paired is not None
        assert (paired.cases, paired.of_cases, paired.without_partner) == expected


def test_a_case_that_lacks_a_rater_is_no_pair():
    def side(*gone: int) -> FoldScores:
        collector = ScoreCollector()
        for case, raters in (("a", {0, 1}), ("b", {0, 1} - {*gone})):
            lacking = [("m", Key(1, rater)) for rater in {0, 1} - raters]
            collector.append(case, case, {("m", Key(1, rater)): np.array([0.5]) for rater in raters}, lacking)
        return {0: [collector.scores().of("m")]}

    paired = Paired.of(side(), side(1), VALUE, STRICT)
    assert paired is not None
    assert (paired.cases, paired.of_cases, paired.without_partner) == (1, 2, (1, 0))
