"""Cases: their values, and which are shown."""

import shutil
from pathlib import Path
from statistics import fmean

import pytest

from mrbench.cards import Direction
from mrbench.engine.cell import CASES, PREDICTIONS
from mrbench.engine.record import write_record
from mrbench.engine.run import Run, open_run
from mrbench.engine.score import score_cell
from mrbench.files import read_json
from mrbench.metrics.protocol import STRICT
from mrbench.metrics.scoring import reduce_metric
from mrbench.registry import Registry
from mrbench.report.cases import CaseValues, Order, case_values, choose
from mrbench.results.method_run import MethodRun, runs_of
from mrbench.results.reader import ScoreReader

LOWER = Order("m", "ged", Direction.LOWER)


def cases(*values: float | None) -> list[CaseValues]:
    return [
        CaseValues(0, f"c{n}", "s", {"m": {} if value is None else {"ged": value}}) for n, value in enumerate(values)
    ]


def ids(chosen: list[CaseValues]) -> list[str]:
    return [case.id for case in chosen]


def test_worst_median_and_best_are_chosen_whatever_the_count():
    values = cases(0.5, 0.1, 0.9, 0.3, 0.7)
    assert ids(choose(values, 1, LOWER)) == ["c2"]
    assert ids(choose(values, 2, LOWER)) == ["c1", "c2"]
    assert ids(choose(values, 3, LOWER)) == ["c0", "c1", "c2"]
    assert len(choose(values, 4, LOWER)) == 4
    assert choose(values, 5, LOWER) == values


def test_the_worst_of_a_metric_whose_higher_values_are_better_is_the_lowest():
    assert ids(choose(cases(0.5, 0.1, 0.9), 1, Order("m", "ged", Direction.HIGHER))) == ["c1"]


def test_cases_without_a_value_are_chosen_only_where_all_fit():
    values = cases(None, 0.1, None, 0.3)
    assert ids(choose(values, 3, LOWER)) == ["c1", "c3"]
    assert len(choose(values, 4, LOWER)) == 4
    assert len(choose(cases(None, None, None), 2, LOWER)) == 2


def methods_of(run: Run) -> dict[str, MethodRun]:
    return {own.method: own for own in runs_of(run)}


def test_a_fold_is_the_mean_of_its_subjects_cases(run: Run, registry: Registry):
    methods = methods_of(run)
    metrics = {name: registry.get("metric", name) for name in ("ged", "dice_rater")}
    values = case_values(methods, metrics, STRICT, fold=1)
    assert {case.fold for case in values} == {1}
    row = ScoreReader(registry, STRICT, tuple(metrics)).row(methods["alpha"])
    for name in metrics:
        by_subject: dict[str, list[float]] = {}
        for case in values:
            by_subject.setdefault(case.subject, []).append(case.values["alpha"][name])
        assert fmean(map(fmean, by_subject.values())) == pytest.approx(row.values[name].folds[1])
    assert all("dice_rater" not in case.values["beta"] for case in values)


def test_the_value_of_a_case_is_that_of_a_fold_of_this_case_alone(make_odd, registry: Registry):
    run = make_odd()
    method = methods_of(run)["alpha"]
    metrics = {name: registry.get("metric", name) for name in ("ged", "dice_soft", "dice_rater")}
    values = case_values({"alpha": method}, metrics, STRICT, None)
    assert {case.fold for case in values} == {0, 1}
    for case in values:
        (result,) = method.shown(case.fold)
        scores = result.scores(metrics, STRICT).cases
        for name, plugin in metrics.items():
            own = scores.of(name)
            alone = own.where(own.case == scores.cases.index(case.id))
            assert len(alone) > 1, "classes and raters"
            assert case.values["alpha"][name] == pytest.approx(reduce_metric(alone, plugin.load(), STRICT).value)


def test_scores_that_are_stored_are_not_computed_again(run: Run, registry: Registry, tmp_path: Path):
    copy = shutil.copytree(run.results, tmp_path / "r")
    metrics = {name: registry.get("metric", name) for name in ("ged", "dice_rater")}
    for path in list(copy.glob(f"cells/**/{PREDICTIONS}")):
        score_cell(path, metrics, STRICT).cases.write_csv(path.with_name(CASES))
        path.unlink()
        write_record(path.parent, read_json(path.with_name("record.json")))
    stored, computed = (
        {(case.fold, case.id): case.values for case in case_values(methods_of(own), metrics, STRICT, None)}
        for own in (open_run("last", copy), run)
    )
    assert stored == computed
