"""Cases: their values, and which are shown."""

from statistics import fmean

import pytest

from mrbench.engine.run import Run
from mrbench.metrics.protocol import STRICT
from mrbench.records import Direction
from mrbench.registry import Registry
from mrbench.report.cases import CaseValues, Order, case_values, choose
from mrbench.report.choices import Choices
from mrbench.report.gather import gather

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


def test_a_fold_is_the_mean_of_its_subjects_cases(run: Run, registry: Registry):
    (part,) = gather([run], registry, Choices()).datasets
    metrics = {name: registry.get("metric", name) for name in ("ged", "dice_rater")}
    values = case_values(part.entries, metrics, STRICT, fold=1)
    assert {case.fold for case in values} == {1}
    for name in metrics:
        by_subject: dict[str, list[float]] = {}
        for case in values:
            by_subject.setdefault(case.subject, []).append(case.values["alpha"][name])
        assert fmean(map(fmean, by_subject.values())) == pytest.approx(part.folds[name]["alpha"][1])
    assert all("dice_rater" not in case.values["beta"] for case in values)
