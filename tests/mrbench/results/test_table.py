"""Tables: means and spreads over folds, what a value covers, who is the best, labels, and the frame."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from rows_by_hand import PHASES, as_value, result_of, row_of, run_of
from stored_runs import DESCRIPTION, registry

from mrbench.cards import MetricCard
from mrbench.engine.cell import Status
from mrbench.engine.conditions import Conditions
from mrbench.metrics.protocol import PUBLISHED, STRICT, ScoringProtocol
from mrbench.metrics.scoring import MetricValue
from mrbench.results.method_run import MethodRun
from mrbench.results.table import (
    Reported,
    Row,
    RowKind,
    Table,
    Value,
    comparable,
    over_folds,
    values_of,
    with_best,
    with_labels,
)
from mrbench.statistics.equality import TIE
from mrbench.statistics.interval import Interval

LOW = Conditions(precision="bf16")
PROTOCOLS = pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)


def metric(name: str) -> MetricCard:
    record: MetricCard = registry().get("metric", name).card
    return record


GED, DICE_RATER, GED_PP = metric("ged"), metric("dice_rater"), metric("ged_pp")
"""Lower is better, of samples; higher is better, of raters; no direction."""


def measured(value: float, cases: int = 4, of: int = 4, **by: Mapping[int, float]) -> MetricValue:
    return MetricValue(value, by.get("by_class", {}), by.get("by_rater", {}), cases, of)


def test_seeds_are_averaged_before_the_spread_over_folds_is_taken():
    by_fold = {0: [measured(0.1), measured(0.3)], 1: [measured(0.4), measured(0.4)]}
    strict, published = (over_folds(by_fold, 2, protocol) for protocol in (STRICT, PUBLISHED))
    assert (strict.mean, strict.sd) == (pytest.approx(0.3), pytest.approx(0.2 / 2**0.5))
    assert (published.mean, published.sd) == (strict.mean, pytest.approx(0.1))
    assert strict.folds == {0: pytest.approx(0.2), 1: 0.4}


@PROTOCOLS
def test_one_fold_has_no_spread_however_many_seeds_it_has(protocol: ScoringProtocol):
    found = over_folds({3: [measured(0.1), measured(0.3)]}, 1, protocol)
    assert (found.mean, found.sd, found.folds) == (pytest.approx(0.2), None, {3: pytest.approx(0.2)})


@PROTOCOLS
@pytest.mark.parametrize("seed", range(5))
def test_mean_and_spread_are_those_of_a_plain_computation(protocol: ScoringProtocol, seed: int):
    random = np.random.default_rng(seed)
    values = {f: random.random(random.integers(1, 4)).tolist() for f in random.permutation(9)[:5].tolist()}
    found = over_folds({f: [measured(v) for v in own] for f, own in values.items()}, 5, protocol)
    means = [sum(values[f]) / len(values[f]) for f in sorted(values)]
    mean = sum(means) / 5
    square = sum((one - mean) ** 2 for one in means) / (5 - protocol.ddof)
    assert (found.mean, found.sd) == (pytest.approx(mean, abs=1e-15), pytest.approx(square**0.5, abs=1e-15))
    assert list(found.folds) == sorted(values)


def test_classes_and_raters_are_means_over_the_folds_that_have_them():
    one = measured(0.5, by_class={1: 0.2, 2: 0.8}, by_rater={0: 0.4})
    again = measured(0.5, by_class={1: 0.4, 2: 0.8}, by_rater={0: 0.6, 2: 0.9})
    other = measured(0.5, by_class={1: 0.1}, by_rater={})
    found = over_folds({0: [one, again], 1: [other]}, 2, STRICT)
    assert found.by_class == {1: pytest.approx(0.2), 2: pytest.approx(0.8)}
    assert found.by_rater == {0: pytest.approx(0.5), 2: pytest.approx(0.9)}


def test_cases_are_counted_over_folds_of_the_seed_that_has_the_fewest():
    by_fold = {0: [measured(0.1, 6, 6), measured(0.1, 5, 6)], 1: [measured(0.1, 3, 3), measured(0.1, 3, 3)]}
    found = over_folds(by_fold, 2, STRICT)
    assert (found.cases, found.of_cases, found.complete, found.count) == (8, 9, False, "n 8/9")


def test_a_fold_where_a_metric_has_no_value_counts_all_its_cases():
    cells = [(0, {"ged": measured(0.1, 3, 3), "ece": measured(0.2, 3, 3)}), (1, {"ece": measured(0.4, 4, 4)})]
    found = values_of(cells, 2, STRICT)
    assert (found["ged"].cases, found["ged"].of_cases, found["ged"].count) == (3, 7, "n 3/7")
    assert (found["ece"].mean, found["ece"].count) == (pytest.approx(0.3), "")


def test_a_seed_without_the_metric_covers_no_case_of_its_fold():
    seeds = [
        (0, {"ged": measured(0.1), "ece": measured(0.3)}),
        (0, {"ece": measured(0.3)}),
        (1, {"ged": measured(0.3)}),
    ]
    found = values_of(seeds, 2, STRICT)["ged"]
    assert (found.mean, found.count, found.complete) == (pytest.approx(0.2), "n 4/8", False)


def test_a_fold_that_no_cell_finished_is_missing():
    found = values_of([(0, {"ged": measured(0.1)}), (2, {"ged": measured(0.3)})], 3, STRICT)["ged"]
    assert (found.mean, found.complete, found.count) == (pytest.approx(0.2), False, "folds 2/3")


def test_no_cell_has_no_value():
    assert values_of([], 3, STRICT) == {}
    assert values_of([(0, {})], 1, STRICT) == {}


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, ""),
        ({"cases": 5, "of_cases": 6}, "n 5/6"),
        ({"of_folds": 3}, "folds 1/3"),
        ({"of_folds": 3, "cases": 5, "of_cases": 6}, "n 5/6"),
        ({"folds": {}, "of_folds": 0}, ""),
    ],
)
def test_a_value_that_is_not_of_everything_says_of_how_much(fields: dict[str, Any], count: str):
    value = as_value(0.5, **fields)
    assert (value.count, value.complete) == (count, count == "")


def best_of(rows: Sequence[Row], name: str, column: MetricCard) -> list[bool]:
    return [row.values[name].best for row in with_best(rows, {name: column})]


def method(**changes: Any) -> MethodRun:
    return run_of(result_of(**changes))


@pytest.mark.parametrize(
    ("column", "expected"), [(GED, [True, False]), (DICE_RATER, [False, True]), (GED_PP, [False] * 2)]
)
def test_the_best_is_where_the_arrow_points(column: MetricCard, expected: list[bool]):
    assert best_of([row_of(m=0.2), row_of(m=0.3)], "m", column) == expected


def test_means_of_the_same_numbers_in_any_order_are_all_best():
    means = [sum(order) / len(order) for order in permutations([0.1, 0.2, 0.3, 0.7, 0.9])]
    assert len(set(means)) > 1, "else there is nothing to tie"
    assert best_of([row_of(m=mean) for mean in means], "m", GED) == [True] * len(means)


def test_values_that_differ_by_more_than_a_tie_are_told_apart():
    assert best_of([row_of(m=0.2), row_of(m=0.2 + 10 * TIE)], "m", GED) == [True, False]


def test_one_row_alone_is_not_the_best():
    assert best_of([row_of(m=0.2)], "m", GED) == [False]


def human() -> MethodRun:
    return method(method="level-sets")


def unfinished() -> MethodRun:
    return run_of(result_of(), result_of(fold=1, status=Status.DIVERGED))


SOURCE = Reported("theirs", "a paper", "2", "strict", Conditions(), ())
REPORTED = Row("theirs", RowKind.REPORTED, {"m": as_value(0.1)}, reported=SOURCE)
NEVER_BEST = {
    "a human reference": row_of(human(), m=0.1),
    "a row with a failed cell": row_of(unfinished(), m=0.1),
    "an older row": replace(row_of(m=0.1), newest=False),
    "a reported row": REPORTED,
    "a value that misses cases": row_of(m=as_value(0.1, cases=3)),
    "a value that misses folds": row_of(m=as_value(0.1, of_folds=2)),
}


@pytest.mark.parametrize("what", NEVER_BEST)
def test_some_rows_are_never_the_best_and_keep_nobody_from_being_it(what: str):
    rows = [NEVER_BEST[what], row_of(m=0.2), row_of(m=0.3)]
    assert best_of(rows, "m", GED) == [False, True, False]
    assert best_of(rows[:2], "m", GED) == [False, False], "nobody is left to be better than"


ALONE = {
    "other data": row_of(method(data_digest="e" * 64), m=0.1),
    "another split": row_of(method(split="published-slice"), m=0.1),
    "other folds of the split": row_of(method(split_digest="t" * 64), m=0.1),
    "fewer test cases": row_of(method(limit=3), m=0.1),
    "other test cases": row_of(run_of(tested_cases=("x",)), m=0.1),
    "other folds": row_of(m=as_value(0.1, folds={1: 0.1})),
    "some of the raters": row_of(m=as_value(0.1, by_rater={1: 0.1})),
    "another definition": row_of(m=as_value(0.1, definition="f" * 64)),
    "other samples": row_of(method(samples=4), m=0.1),
}


@pytest.mark.parametrize("what", ALONE)
def test_rows_that_do_not_compare_are_ranked_among_their_own(what: str):
    one = ALONE[what]
    worse = replace(one, values={"m": replace(one.values["m"], mean=0.15)})
    rows = [one, row_of(m=0.2), worse, row_of(m=0.3)]
    # The best at one S is not the best of the column where another S has a better one.
    assert best_of(rows, "m", GED) == [True, what != "other samples", False, False]
    assert comparable(rows, "m", GED) == [[0, 2], [1, 3]]


def test_metrics_of_raters_do_not_ask_how_many_samples_there_are():
    rows = [row_of(m=0.2), row_of(method(samples=4), m=0.3), row_of(method(method="unet-majority"), m=0.4)]
    assert best_of(rows, "m", DICE_RATER) == [False, False, True]
    assert best_of(rows, "m", GED) == [False] * 3


def random_rows(seed: int) -> list[Row]:
    random = np.random.default_rng(seed)
    runs = [method(), method(samples=4), method(data_digest="e" * 64), human(), unfinished()]
    rows = []
    for _ in range(12):
        value = float(random.integers(3, 7)) / 7 + random.uniform(-TIE / 4, TIE / 4)
        covers = {"cases": int(random.choice([4, 4, 4, 3])), "folds": {int(random.integers(2)): value}}
        rows.append(row_of(runs[random.choice(5, p=[0.5, 0.2, 0.1, 0.1, 0.1])], m=as_value(value, **covers)))
    return rows


@pytest.mark.parametrize("column", [GED, DICE_RATER], ids=lambda column: column.name)
@pytest.mark.parametrize("seed", range(20))
def test_the_best_have_somebody_to_be_compared_with_and_nobody_above_them(seed: int, column: MetricCard):
    rows = random_rows(seed)

    def of_one_kind(one: Row, other: Row, *, any_samples: bool = False) -> bool:
        ranked = all(r.values["m"].complete and r.run and not r.human and r.complete for r in (one, other))
        samples = any_samples or column is DICE_RATER or one.samples == other.samples
        data = {r.run.spec.data_digest for r in (one, other) if r.run}
        return ranked and samples and len(data) == 1 and set(one.values["m"].folds) == set(other.values["m"].folds)

    sign = 1 if column is DICE_RATER else -1
    expected = []
    for one in rows:
        others = [other for other in rows if other is not one and of_one_kind(one, other)]
        rivals = [other for other in rows if of_one_kind(one, other, any_samples=True)]
        above = [o for o in rivals if sign * (o.values["m"].mean - one.values["m"].mean) > TIE]
        expected.append(bool(others) and not above)
    assert best_of(rows, "m", column) == expected
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    assert best_of([rows[place] for place in order], "m", column) == [expected[place] for place in order]


def test_places_that_compare_stand_best_first():
    rows = [row_of(m=value) for value in (0.3, 0.1, 0.2)]
    assert comparable(rows, "m", GED) == [[1, 2, 0]]
    assert comparable(rows, "m", DICE_RATER) == [[0, 2, 1]]
    assert comparable(rows, "m", GED_PP) == []
    assert comparable(rows, "other", GED) == []


def labels(*rows: Row) -> list[str]:
    return [row.label for row in with_labels(rows)]


def test_rows_of_one_name_are_told_apart_by_their_run_then_by_their_caveats():
    plain, low = result_of(), result_of(conditions=LOW)
    assert labels(row_of(run_of(plain)), row_of(method(method="staple"))) == ["proseg", "staple"]
    assert labels(row_of(run_of(plain, name="a")), row_of(run_of(plain, name="b"))) == [
        "proseg, run a",
        "proseg, run b",
    ]
    assert labels(row_of(run_of(plain)), row_of(run_of(low))) == [
        "proseg, preset quick", "proseg, trained in bf16, preset quick",
    ]  # fmt: skip


def test_rows_that_nothing_tells_apart_are_numbered():
    assert labels(row_of(), row_of(method(method="staple")), row_of()) == ["proseg (1)", "staple", "proseg (3)"]


def test_rows_of_one_method_are_told_apart_by_s_first():
    rows = row_of(), row_of(method(samples=4))
    assert labels(*rows) == ["proseg, S 50", "proseg, S 4"]
    assert len({*labels(*rows, *rows)}) == 4


@pytest.mark.parametrize("seed", range(30))
def test_no_two_rows_have_one_label(seed: int):
    random = np.random.default_rng(seed)
    results = [result_of(), result_of(conditions=LOW), result_of(samples=4), result_of("staple")]
    rows = [row_of(run_of(results[random.integers(4)], name="ab"[random.integers(2)])) for _ in range(7)]
    theirs = [replace(REPORTED, label=str(random.choice(["proseg", "theirs", "proseg, run a"]))) for _ in range(4)]
    mixed = [[*rows, *theirs][place] for place in random.permutation(11).tolist()]
    found = with_labels(mixed)
    assert len({row.label for row in found}) == 11
    assert [row.run for row in found] == [row.run for row in mixed], "in their order"


def table_of(*rows: Row) -> Table:
    return Table("phantom", DESCRIPTION, {}, "strict", {"ged": GED, "dice_rater": DICE_RATER}, rows)


INTERVAL = Interval(0.1, 0.4)
FULL = Value(1 / 3, 0.1 + 0.2, {0: 0.3, 1: 0.4}, 3, 5, 6, interval=INTERVAL, best=True, letters="ab")


def test_a_frame_has_a_row_per_label_and_columns_by_metric_and_statistic():
    optioned = run_of(result_of(options={"epochs": 3}), result_of(fold=1, status=Status.FAILED))
    reported = Row("theirs", RowKind.REPORTED, {"dice_rater": as_value(0.7)}, None)
    frame = table_of(row_of(optioned, ged=FULL), reported).to_pandas()
    assert list(frame.index) == ["proseg", "theirs"]
    assert frame.index.name == "method"
    assert frame.attrs == {"dataset": "phantom", "protocol": "strict"}
    assert frame.columns.nlevels == 2
    statistics = ["mean", "sd", "folds", "of_folds", "cases", "of", "low", "high", "best", "letters"]
    assert list(frame["ged"].columns) == list(frame["dice_rater"].columns) == statistics
    assert frame.loc["proseg", "ged"].tolist() == [1 / 3, 0.1 + 0.2, 2, 3, 5, 6, 0.1, 0.4, True, "ab"]
    assert frame.loc["theirs", "dice_rater"]["mean"] == 0.7
    for label, name in (("theirs", "ged"), ("proseg", "dice_rater")):
        own = frame.loc[label, name]
        assert own.drop(["best", "letters"]).isna().all()
        assert own[["best", "letters"]].tolist() == [False, ""]
    assert frame.loc["proseg", "row"].to_dict() == {
        "kind": "reproduced", "S": 50, "finished": 1, "planned": 2, "failed": 0, "caveats": "preset quick",
        "digest": optioned.spec.digest,
    }  # fmt: skip
    assert frame["row", "kind"]["theirs"] == "reported"
    assert frame["row", "digest"]["theirs"] == ""
    assert frame["option", "epochs"]["proseg"] == 3
    assert np.isnan(frame["option", "epochs"]["theirs"])
    assert frame["cost", "predict s"]["proseg"] == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_the_values_of_a_frame_are_those_of_the_table_bit_for_bit(seed: int):
    random = np.random.default_rng(seed)
    rows = with_labels([row_of(ged=Value(*random.random(2).tolist()), dice_rater=random.random()) for _ in range(5)])
    frame = table_of(*rows).to_pandas()
    assert frame.shape[0] == 5
    for row in rows:
        for name, value in row.values.items():
            own = frame.loc[row.label, name]
            assert own["mean"] == value.mean
            assert own["sd"] == value.sd or (value.sd is None and np.isnan(own["sd"]))


def test_a_number_that_is_missing_leaves_a_column_of_numbers():
    frame = table_of(row_of(ged=0.5), row_of(method(method="staple"), dice_rater=0.5)).to_pandas()
    for name in ("mean", "sd", "low"):
        assert frame["ged", name].dtype == np.float64


def test_a_frame_is_filtered_by_who_is_best_though_rows_lack_the_metric():
    frame = table_of(row_of(ged=0.5), replace(row_of(dice_rater=Value(0.7, best=True)), label="b")).to_pandas()
    assert frame["dice_rater", "best"].dtype == bool
    assert list(frame[frame["dice_rater"]["best"]].index) == ["b"]


def test_columns_are_in_the_order_of_the_table_whatever_row_comes_first():
    costly = run_of(result_of(record={"profile": {"phases": {**PHASES, "fit": PHASES["predict"]}}}))
    one, other = row_of(dice_rater=0.5), replace(row_of(costly, ged=0.5), label="b")
    for rows in ((one, other), (other, one)):
        columns = table_of(*rows).to_pandas().columns
        assert list(dict.fromkeys(columns.get_level_values(0))) == ["row", "ged", "dice_rater", "cost"]
        assert [name for group, name in columns if group == "cost"] == ["train s", "predict s", "peak MiB"]


def test_the_rows_of_one_label_are_told_apart_by_s_in_a_frame():
    frame = table_of(*with_labels([row_of(ged=0.5), row_of(method(samples=4), ged=0.6)])).to_pandas()
    assert list(frame.index) == ["proseg, S 50", "proseg, S 4"]


def test_a_table_of_nothing_is_an_empty_frame():
    assert table_of().to_pandas().shape == (0, 0)


def test_caveats_are_said_of_rows_that_were_computed():
    table = table_of(row_of(ged=0.5), replace(row_of(human()), label="people"), REPORTED)
    assert list(table.caveat_lines()) == [
        "preset quick: proseg", "sees the masks it is scored on (never ranked): people",
        "samples taken in turn are no independent draws: ged_unbiased, which supposes those, is missing: people",
    ]  # fmt: skip


def test_a_table_is_named_by_what_its_rows_were_tested_on():
    tables = [table_of(row_of()), table_of(row_of(method(samples=4))), table_of(row_of(method(data_digest="e" * 64)))]
    assert tables[0].key == tables[1].key != tables[2].key
    assert tables[0].tested_on == ("d" * 64, "strict", "s" * 64)
    assert table_of(REPORTED).key == "strict-reported"
    assert replace(tables[0], protocol="published").key.startswith("published-")


def test_history_is_not_among_the_current_rows():
    new, old = row_of(), replace(row_of(), newest=False)
    assert table_of(new, old).current == [new]
