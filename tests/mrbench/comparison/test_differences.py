"""Differences by hand: folds, seeds, pairs, ties and what must be said."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from stored_runs import StoredCell, cases, registry, store_run

from mrbench.comparison.differences import Comparison, Difference, Verdict, check_something, compare
from mrbench.comparison.pairs import pair_between, pair_within
from mrbench.comparison.selection import parse_operand
from mrbench.engine.cases import CellFiles
from mrbench.engine.cell import Status
from mrbench.errors import IncompatibleError
from mrbench.metrics.protocol import STRICT
from mrbench.results.reader import ScoreReader
from mrbench.statistics.nested import NestedEstimate

Compare = Callable[..., Comparison]
REGISTRY = registry()


@pytest.fixture
def comparison(tmp_path: Path) -> Compare:
    """Two lists of cells, compared."""

    def make(a: list[StoredCell], b: list[StoredCell], *only: str) -> Comparison:
        b = [replace(cell, spec={"training": {"of": "b"}} | dict(cell.spec)) for cell in b]
        store_run(tmp_path, "a", *a)
        store_run(tmp_path, "b", *b)
        (pair,) = pair_between(parse_operand("a", tmp_path), parse_operand("b", tmp_path)).pairs
        return compare(pair, ScoreReader(REGISTRY, STRICT, only))

    return make


def ged(comparison: Comparison) -> Difference:
    return {difference.metric: difference for difference in comparison.differences}["ged"]


def test_the_difference_is_the_one_of_the_tables(comparison: Compare):
    a = [
        StoredCell("proseg", cases("ged", [0.1, 0.3], [0.4]), fold=0),
        StoredCell("proseg", cases("ged", [0.5], [0.5]), fold=1),
    ]
    b = [
        StoredCell("proseg", cases("ged", [0.1, 0.1], [0.6]), fold=0),
        StoredCell("proseg", cases("ged", [0.1], [0.5]), fold=1),
    ]
    found = ged(comparison(a, b))
    assert found.a == pytest.approx((0.3 + 0.5) / 2)
    assert found.b == pytest.approx((0.35 + 0.3) / 2)
    assert found.estimate.value == pytest.approx(found.b - found.a)
    assert found.better.subjects.value == (2 + 1 / 2) / 4, "subject means -.1, +.2, -.4, 0; lower is better"
    assert (found.better.better, found.better.ties, found.better.pairs) == (1, 0, 2)
    assert (found.cases, found.without_partner) == (5, (0, 0))


def test_without_trainings_the_interval_is_the_paired_t_interval_of_the_subjects(comparison: Compare):
    a, b = [0.1, 0.4, 0.2, 0.9, 0.3], [0.2, 0.1, 0.4, 0.7, 0.35]
    found = ged(comparison([StoredCell("staple", cases("ged", *([v] for v in a)))],
                           [StoredCell("staple", cases("ged", *([v] for v in b)))]))  # fmt: skip
    expected = stats.ttest_rel(b, a)
    interval = found.estimate.interval()
    assert (interval.low, interval.high) == pytest.approx(tuple(expected.confidence_interval()))
    assert found.estimate.p == pytest.approx(expected.pvalue)


def test_seeds_are_what_other_trainings_are_known_from(comparison: Compare):
    def cells(shift: float) -> list[StoredCell]:
        values = [[0.1, 0.3, 0.2], [0.2, 0.5, 0.1], [0.15, 0.3, 0.3]]
        return [StoredCell("proseg", cases("ged", *([v + shift] for v in own)), seed=n) for n, own in enumerate(values)]

    found = comparison(cells(0.0), cells(0.05))
    components = ged(found).estimate.components
    means = np.array([0.2, 0.8 / 3, 0.25])
    assert (
        components["trainings of A"]
        == pytest.approx(components["trainings of B"])
        == pytest.approx(means.var(ddof=1) / 3)
    )
    assert components["subjects"] == pytest.approx(0, abs=1e-12)


def test_two_ways_to_use_the_same_trainings_are_compared_training_by_training(tmp_path: Path):
    cells = [
        StoredCell(method, cases("ged", *([v + shift + n / 3] for v in (0.1, 0.3, 0.2))), seed=n)
        for method, shift in (("proseg", 0.0), ("proseg-prior", 0.1))
        for n in range(3)
    ]
    store_run(tmp_path, "r", *cells)
    (pair,) = pair_within(parse_operand("r", tmp_path)).pairs
    found = compare(pair, ScoreReader(REGISTRY, STRICT))
    assert ged(found).estimate.components == pytest.approx({"subjects": 0, "trainings": 0}, abs=1e-12)
    assert "A and B use the same trainings: differences are taken training by training" in found.notes


def test_one_seed_has_no_test_and_says_what_would_have(comparison: Compare):
    values = [cases("ged", *([v] for v in own)) for own in ([0.1, 0.3, 0.2], [0.2, 0.5, 0.1])]
    found = comparison([StoredCell("proseg", values[0])], [StoredCell("proseg", values[1])])
    assert (ged(found).estimate.p, ged(found).estimate.interval(), ged(found).verdict) == (None, None, None)
    reason = "one seed (trainings of A and trainings of B): what another training would change cannot be known"
    assert any(reason in note and "--seeds 3" in note for note in found.notes)


def test_one_configuration_is_recognised(tmp_path: Path):
    for name, seeds in (("a", (0, 1)), ("b", (2, 3))):
        store_run(tmp_path, name, *(StoredCell("proseg", cases("ged", [0.1], [0.2]), seed=seed) for seed in seeds))
    (pair,) = pair_between(parse_operand("a", tmp_path), parse_operand("b", tmp_path)).pairs
    notes = compare(pair, ScoreReader(REGISTRY, STRICT)).notes
    assert "A and B are one configuration: what differs between them is their trainings alone" in notes


@pytest.mark.parametrize(
    ("p", "shift", "margin", "verdict"),
    [
        (None, 0.0, 0.01, None),
        (0.04, 0.5, 0.01, Verdict.DIFFERS),
        (0.06, 0.0, None, Verdict.UNDECIDED),
        (0.06, 0.5, 0.01, Verdict.UNDECIDED),
        (0.9, 0.0, 0.01, Verdict.EQUIVALENT),
    ],
)
def test_the_verdicts_are_three(p, shift, margin, verdict):
    estimate = NestedEstimate(shift, {"subjects": 1e-6}, 10.0)
    assert Difference("m", 0, shift, estimate, None, margin, 5, (0, 0), corrected=p).verdict == verdict


def test_higher_is_better_where_the_metric_says_so(comparison: Compare):
    found = comparison(
        [StoredCell("proseg", cases("dice_max", [0.5], [0.5]))], [StoredCell("proseg", cases("dice_max", [0.6], [0.4]))]
    )
    assert found.differences[0].better.subjects.value == 0.5
    assert (found.differences[0].better.ties, found.differences[0].better.pairs) == (1, 1)


def test_where_no_direction_is_better_nobody_is(comparison: Compare):
    found = comparison(
        [StoredCell("proseg", cases("ged_pp", [0.5], [0.5]))],
        [StoredCell("proseg", cases("ged_pp", [0.6], [0.4]))],
        "ged_pp",
    )
    assert found.differences[0].better is None


def test_only_cases_and_folds_that_both_have_are_compared(comparison: Compare):
    a = [StoredCell("proseg", cases("ged", [0.1, 0.3], [0.4]), fold=fold) for fold in (0, 1)]
    b = [StoredCell("proseg", cases("ged", [0.2]), fold=fold) for fold in (1, 2)]
    found = comparison(a, b)
    assert (ged(found).a, ged(found).b, ged(found).cases) == (pytest.approx(0.1), pytest.approx(0.2), 1)
    assert ged(found).without_partner == (2, 0)
    assert "folds of both: 1; of A: 0, 1; of B: 1, 2" in found.notes
    assert "cases that only one of them has: 2 of A, 0 of B" in found.notes


def test_one_subject_has_no_interval_and_the_reason_is_said(comparison: Compare):
    found = comparison([StoredCell("proseg", cases("ged", [0.1]))], [StoredCell("proseg", cases("ged", [0.3]))])
    assert ged(found).estimate.interval() is None
    reason = "a fold has one subject: what others would change cannot be known"
    assert f"no interval and no test: {reason}" in found.notes


def test_seeds_are_averaged_within_a_fold(comparison: Compare):
    a = [
        StoredCell("proseg", cases("ged", [0.1], [0.2]), seed=0),
        StoredCell("proseg", cases("ged", [0.3], [0.2]), seed=1),
    ]
    found = comparison(a, [StoredCell("proseg", cases("ged", [0.1], [0.2]))])
    assert ged(found).a == pytest.approx(0.2)
    assert ged(found).better.subjects.value == pytest.approx((1 / 2 + 1) / 2 / 2 + 1 / 4)
    assert ged(found).better.pairs == 2


def test_unequal_sample_numbers_are_flagged_on_sample_metrics_alone(comparison: Compare):
    values = {"subject 0, case 0": {"ged": {None: 0.1}, "dice_rater": {0: 0.5, 1: 0.6}}}
    found = comparison([StoredCell("proseg", values)], [StoredCell("proseg", values, spec={"samples": 4})])
    flags = {difference.metric: difference.flags for difference in found.differences}
    assert flags == {"ged": ("S differs: 50 and 4; --samples 4",), "dice_rater": ()}


def test_raters_that_only_one_has_are_left_out_and_flagged(comparison: Compare):
    a = {"subject 0, case 0": {"dice_rater": {0: 0.5, 1: 0.9}}}
    b = {"subject 0, case 0": {"dice_rater": {0: 0.6}}}
    (found,) = comparison([StoredCell("proseg", a)], [StoredCell("proseg", b)]).differences
    assert (found.a, found.b) == (0.5, 0.6)
    assert found.flags == ("classes and raters that only one of them has are left out",)


def test_a_rater_who_is_absent_in_some_cases_of_both_is_no_reason_for_a_flag(comparison: Compare):
    a = {"subject 0, case 0": {"dice_rater": {0: 0.5, 1: 0.9}}, "subject 1, case 0": {"dice_rater": {0: 0.7}}}
    (found,) = comparison([StoredCell("proseg", a)], [StoredCell("proseg", a)]).differences
    assert found.a == found.b == pytest.approx((0.6 + 0.9) / 2)
    assert found.flags == ()


def test_metrics_that_only_one_has_are_named(comparison: Compare):
    found = comparison([StoredCell("proseg", {"s, c": {"ged": {None: 0.1}, "dice_max": {None: 0.5}}})],
                       [StoredCell("proseg", {"s, c": {"ged": {None: 0.2}, "dice_rater": {0: 0.5}}})])  # fmt: skip
    assert [difference.metric for difference in found.differences] == ["ged"]
    assert list(found.alone) == ["dice_max", "dice_rater"]


def test_failed_cells_are_named(comparison: Compare):
    values = cases("ged", [0.1], [0.2])
    a = [StoredCell("proseg", values), StoredCell("proseg", fold=1, status=Status.TIMEOUT)]
    found = comparison(a, [StoredCell("proseg", values, fold=fold) for fold in (0, 1)])
    assert "A: proseg fold1-seed0 timeout: what went wrong" in found.notes


def test_nothing_in_common_is_incompatible_and_says_why(comparison: Compare):
    values = cases("ged", [0.1], [0.2])
    found = comparison([StoredCell("proseg", values)], [StoredCell("proseg", values, fold=1)])
    assert list(found.differences) == []
    with pytest.raises(IncompatibleError, match="no metric has a case that both have") as caught:
        check_something([found])
    assert "folds of both: none; of A: 0; of B: 1" in caught.value.found


def test_a_case_of_another_subject_is_another_case(comparison: Compare):
    a, b = {"s, c": {"ged": {None: 0.1}}}, {"t, c": {"ged": {None: 0.1}}}
    assert list(comparison([StoredCell("proseg", a)], [StoredCell("proseg", b)]).differences) == []


def test_each_cell_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read, original = [], CellFiles.read
    monkeypatch.setattr(CellFiles, "read", lambda self, *rest: read.append(self.folder) or original(self, *rest))
    values = cases("ged", [0.1], [0.2])
    store_run(tmp_path, "r", *(StoredCell(method, values) for method in ("proseg", "proseg-prior", "staple")))
    reader = ScoreReader(REGISTRY, STRICT)
    for pair in pair_within(parse_operand("r", tmp_path)).pairs:
        compare(pair, reader)
    assert len(read) == len(set(read)) == 3
