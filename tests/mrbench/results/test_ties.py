"""Tie groups: whom the data tell apart, held against one test per pair, and which letters follow."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from ragged_scores import RATIO, VALUE, Side, folds_of, random_cell
from rows_by_hand import as_value, result_of, row_of, run_of
from stored_runs import DESCRIPTION, StoredCell, cases, registry, scores_of, store_run

from mrbench.interfaces.metric import Metric
from mrbench.metrics.protocol import PUBLISHED, STRICT, ScoringProtocol
from mrbench.results.method_run import MethodRun, runs_of
from mrbench.results.pairing import aligned
from mrbench.results.reader import ScoreReader
from mrbench.results.table import Row, Table
from mrbench.results.tabulate import tabulate
from mrbench.results.ties import MOST, TieGroup, lettered, told_apart, with_letters
from mrbench.statistics.correction import LEVEL, holm
from mrbench.statistics.nested import nested_difference

PROTOCOLS = pytest.mark.parametrize("protocol", [STRICT, PUBLISHED], ids=lambda protocol: protocol.name)
GED = registry().get("metric", "ged").card
SHIFTS = (0.0, 0.0, 0.02, 0.2, 0.6)


def random_sides(seed: int, missing: float, seeds: int = 2, subjects: int = 9) -> list[Side]:
    random = np.random.default_rng(seed)
    return [
        {f: [random_cell(random, range(subjects), missing, shift) for _ in range(seeds)] for f in (0, 1)}
        for shift in SHIFTS
    ]


def methods(n: int) -> list[MethodRun]:
    """Trained method runs that share nothing."""
    return [run_of(result_of(prediction={"of": i}, family=f"f{i}")) for i in range(n)]


def one_by_one(sides: Sequence[Side], metric: Metric, protocol: ScoringProtocol) -> set[tuple[int, int]]:
    """The oracle: pairs that are told apart by one test each, corrected by Holm."""
    tables = aligned([folds_of(side) for side in sides], metric, protocol)
    pairs = list(combinations(range(len(sides)), 2))
    found = [nested_difference(tables[a], tables[b]).p for a, b in pairs]
    assert all(p is not None for p in found)
    return {pair for pair, p in zip(pairs, holm([p or 0.0 for p in found]), strict=True) if p < LEVEL}


def pairs_apart(apart: tuple[tuple[bool, ...], ...] | str) -> set[tuple[int, int]]:
    assert not isinstance(apart, str), apart
    matrix = np.array(apart)
    assert np.array_equal(matrix, matrix.T)
    return set(map(tuple, np.argwhere(np.triu(matrix)).tolist()))


@PROTOCOLS
@pytest.mark.parametrize("missing", [0.0, 0.05], ids=["whole", "ragged"])
@pytest.mark.parametrize("metric", [VALUE, RATIO], ids=["mean", "pooled"])
@pytest.mark.parametrize("seed", range(2))
def test_the_pairs_told_apart_are_those_of_one_test_each(
    seed: int, metric: Metric, missing: float, protocol: ScoringProtocol
):
    sides = random_sides(seed, missing)
    found = pairs_apart(told_apart(methods(5), [folds_of(side) for side in sides], metric, protocol))
    assert found == one_by_one(sides, metric, protocol)
    assert 0 < len(found) < 10, "some are told apart, and some are not"


def test_fusions_are_told_apart_by_their_subjects_alone():
    sides = [folds_of(side) for side in random_sides(0, 0.0, seeds=1)]
    fusions = [run_of(result_of("staple", prediction={"of": i})) for i in range(5)]
    assert pairs_apart(told_apart(fusions, sides, VALUE, STRICT)) >= {(0, 4), (1, 4)}
    assert "one seed" in told_apart(methods(5), sides, VALUE, STRICT)


def test_what_cannot_be_compared_says_why():
    first, second = random_sides(0, 0.0)[:2]
    sides = [folds_of(first), folds_of(second)]
    assert told_apart(methods(2), [sides[0], {3: sides[1][0]}], VALUE, STRICT) == "no case that all of them have"
    one = [folds_of(side) for side in random_sides(0, 0.0, subjects=1)[:2]]
    found = told_apart(methods(2), one, VALUE, STRICT)
    assert found == "a fold has one subject: what others would change cannot be known"


def table_of(rows: Sequence[Row]) -> Table:
    return Table("phantom", DESCRIPTION, {}, "strict", {"ged": GED}, rows)


def letters(table: Table) -> list[str]:
    return [row.values["ged"].letters for row in table.rows]


def apart_by(rows: Sequence[Row], step: float, *notes: str):
    """A comparison that tells values apart by more than a step."""

    def compare(name: str, places: Sequence[int]) -> TieGroup:
        means = [rows[place].values[name].mean for place in places]
        return TieGroup(tuple(places), tuple(tuple(abs(a - b) > step for b in means) for a in means), notes)

    return compare


def test_rows_share_a_letter_where_they_are_not_told_apart():
    rows = [row_of(ged=value) for value in (0.3, 0.1, 0.2, 0.9)]
    assert letters(with_letters(table_of(rows), apart_by(rows, 0.15))) == ["b", "a", "ab", "c"]


def test_each_group_that_compares_has_letters_of_its_own():
    few = run_of(result_of(samples=4))
    rows = [row_of(ged=0.1), row_of(few, ged=0.1), row_of(ged=0.2), row_of(few, ged=0.5)]
    assert letters(with_letters(table_of(rows), apart_by(rows, 0.15))) == ["a", "b", "a", "c"]


def test_rows_that_are_never_ranked_have_no_letter():
    rows = [row_of(ged=0.1), row_of(run_of(result_of("level-sets")), ged=0.1), row_of(ged=as_value(0.1, cases=3)),
            replace(row_of(ged=0.1), newest=False), row_of(ged=0.1)]  # fmt: skip
    assert letters(with_letters(table_of(rows), apart_by(rows, 0.15))) == ["a", "", "", "", "a"]


def test_the_best_of_many_are_compared_and_that_is_said():
    rows = [row_of(ged=value) for value in np.random.default_rng(0).permutation(MOST + 3).tolist()]
    table = with_letters(table_of(rows), apart_by(rows, 1e9))
    assert [letter == "a" for letter in letters(table)] == [row.values["ged"].mean < MOST for row in rows]
    assert table.notes == (f"ged: the best {MOST} of {MOST + 3} rows are compared",)


def test_a_reason_and_notes_stand_below_the_table_once():
    rows = [row_of(ged=0.1), row_of(ged=0.2)]
    table = replace(table_of(rows), notes=("said before",))
    reasoned = with_letters(table, lambda name, places: TieGroup(tuple(places), "nobody knows", ("x", "x")))
    assert (letters(reasoned), reasoned.notes) == (["", ""], ("said before", "x", "ged: no tie groups: nobody knows"))


def test_columns_are_compared_alone_whatever_else_the_table_holds():
    both = {"ged": GED, "dice_max": registry().get("metric", "dice_max").card}
    rows = [row_of(ged=0.1, dice_max=0.1), row_of(ged=0.2, dice_max=0.9)]
    table = with_letters(replace(table_of(rows), columns=both), apart_by(rows, 0.15))
    assert [[row.values[name].letters for row in table.rows] for name in both] == [["a", "a"], ["b", "a"]]


def test_letters_of_stored_runs_follow_their_scores(tmp_path: Path):
    random = np.random.default_rng(1)
    base = random.random(12)
    methods = {"proseg": 0.0, "dpersona-1": 0.0, "prob-unet": 0.3}
    cells = [
        StoredCell(m, cases("ged", *([x] for x in (base + s + random.normal(0, 0.01, 12)).tolist())), fold=f, seed=seed)
        for m, s in methods.items()
        for f in (0, 1)
        for seed in (0, 1)
    ]
    runs = runs_of(store_run(tmp_path, "r", *cells))
    (table,) = tabulate(runs, registry(), STRICT)
    found = lettered(table, ScoreReader(registry(), STRICT))
    assert letters(found) == ["a", "a", "b"]
    assert [row.values["ged"].best for row in found.rows] == [row.values["ged"].best for row in table.rows]


def test_a_metric_that_the_scores_of_a_row_lack_has_no_letters_and_says_so(tmp_path: Path):
    cells = [StoredCell(m, cases("ged", [0.1], [shift])) for m, shift in (("proseg", 0.2), ("prob-unet", 0.3))]
    run = store_run(tmp_path, "r", *cells)
    scores_of(cases("dice_max", [0.1], [0.2])).write_csv(run.cells[0][0].folder(tmp_path) / "cases.csv.gz")
    (table,) = tabulate(runs_of(run), registry(), STRICT)
    found = lettered(table, ScoreReader(registry(), STRICT))
    assert letters(found) == ["", ""]
    assert "ged: no tie groups: no case that all of them have" in found.notes
