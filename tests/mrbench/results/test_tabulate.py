"""From method runs to tables: which cells, metrics and predictions a row is made of."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rows_by_hand import result_of, run_of
from stored_runs import DESCRIPTION, StoredCell, cases, registry, store_run

from mrbench.engine.cell import Status
from mrbench.engine.result import Result
from mrbench.engine.score import applicable_metrics
from mrbench.errors import IncompatibleError, UnknownNameError, UsageError
from mrbench.metrics.protocol import PUBLISHED, STRICT, ScoringProtocol
from mrbench.registry import Registry
from mrbench.results.method_run import MethodRun, runs_of
from mrbench.results.table import Row
from mrbench.results.tabulate import tabulate

REGISTRY = registry()


def rows(*results: Result, **how: Any) -> dict[str, Row]:
    """The rows of a table of these cells by method."""
    grouped: dict[str, list[Result]] = {}
    for result in results:
        grouped.setdefault(result.spec.method, []).append(result)
    (table,) = tabulate([run_of(*own) for own in grouped.values()], REGISTRY, STRICT, **how)
    return {row.method: row for row in table.rows}


def best(row: Row) -> set[str]:
    return {name for name, value in row.values.items() if value.best}


def test_a_row_is_the_mean_over_folds_of_the_values_that_records_hold():
    values = {(0, 0): 0.1, (0, 1): 0.3, (1, 0): 0.4, (1, 1): 0.4}  # by fold and seed
    found = rows(*(result_of("proseg", f, s, metrics={"ged": value}) for (f, s), value in values.items()))["proseg"]
    assert found.values["ged"].mean == pytest.approx(0.3)
    assert found.values["ged"].sd == pytest.approx(0.1414213562)
    assert len(found.values["ged"].folds) == found.values["ged"].of_folds == 2


def test_a_failed_cell_is_named_and_keeps_its_row_out_of_the_ranks():
    others = [result_of("proseg-prior", fold, metrics={"ged": 0.2}) for fold in (0, 1)]
    failed = result_of("proseg", 1, status=Status.DIVERGED)
    found = rows(result_of("proseg", 0, metrics={"ged": 0.1}), failed, *others)
    assert found["proseg"].cells == (1, 2)
    assert found["proseg"].failures == ("fold1-seed0 diverged: what went wrong; in detail",)
    assert found["proseg"].values["ged"].count == "folds 1/2"
    assert not best(found["proseg"])
    assert not best(found["proseg-prior"]), "nobody is left to be better than"


def test_a_damaged_cell_is_named_and_costs_its_own_fold(tmp_path: Path):
    run = store_run(tmp_path, "r", *(StoredCell("proseg", cases("ged", [0.1 + f]), fold=f) for f in (0, 1)))
    path = run.cells[1][0].folder(tmp_path) / "record.json"
    path.write_text(path.read_text()[:300])
    (table,) = tabulate(runs_of(run), REGISTRY, STRICT)
    (row,) = table.rows
    assert (row.values["ged"].mean, row.values["ged"].count, row.cells) == (0.1, "folds 1/2", (1, 2))
    assert row.failures[0].startswith(f"fold1-seed0 damaged: cannot read the record {path}")


@pytest.mark.parametrize("protocol", [STRICT, PUBLISHED])
def test_predictions_that_cannot_be_read_cost_their_own_fold(tmp_path: Path, protocol: ScoringProtocol):
    masks = {"s, 0": (square(4)[None], [square(4)], {})}
    run = store_run(tmp_path, "r", *(StoredCell("proseg-prior", drawn=masks, fold=fold) for fold in (0, 1)))
    path = run.cells[1][0].folder(tmp_path) / "predictions.h5"
    path.write_bytes(path.read_bytes()[:100])
    (table,) = tabulate(runs_of(run), REGISTRY, protocol, ("dice_max_reverse",), rescore=True)
    (row,) = table.rows
    value = row.values["dice_max_reverse"]
    assert (value.mean, value.count, value.best, row.cells) == (1, "folds 1/2", False, (1, 2))
    assert row.failures[0].startswith("fold1-seed0 damaged: ")
    assert str(path) in row.failures[0]


def test_sample_metrics_rank_rows_of_equal_samples_only():
    values = {"ged": 0.1, "dice_rater": 0.8}, {"ged": 0.3, "dice_rater": 0.7}
    found = rows(result_of("proseg", metrics=values[0]), result_of("unet-majority", metrics=values[1]))
    assert best(found["proseg"]) == {"dice_rater"}
    found = rows(result_of("proseg", metrics=values[0]), result_of("proseg-prior", metrics=values[1]))
    assert best(found["proseg"]) == {"ged", "dice_rater"}


def test_lower_is_better_where_the_metric_says_so_and_ties_share():
    one, other = {"ged": 0.2, "dice_soft": 0.9}, {"ged": 0.2, "dice_soft": 0.8}
    found = rows(result_of("proseg", metrics=one), result_of("proseg-prior", metrics=other))
    assert best(found["proseg"]) == {"ged", "dice_soft"}
    assert best(found["proseg-prior"]) == {"ged"}


def test_rows_that_see_the_masks_are_human_references_and_never_ranked():
    values = {"level-sets": 0.0, "proseg": 0.1, "proseg-prior": 0.2}
    found = rows(*(result_of(method, metrics={"ged": value}) for method, value in values.items()))
    assert "sees test masks" in found["level-sets"].caveats
    assert found["level-sets"].human
    assert not best(found["level-sets"])
    assert best(found["proseg"]) == {"ged"}


def test_a_value_that_misses_cases_of_a_fold_is_counted_and_not_ranked():
    hurt = result_of("proseg", record={"metrics": {"ged": {"value": 0.1, "cases": 5, "of": 6}}})
    found = rows(hurt, *(result_of(m, metrics={"ged": 0.2}) for m in ("proseg-prior", "prob-unet")))
    assert found["proseg"].values["ged"].count == "n 5/6"
    assert not best(found["proseg"])
    assert best(found["prob-unet"]) == {"ged"}


def test_what_metrics_did_wrong_is_said_once():
    faults = {"metric_faults": {"x": "metric 'x' raised"}}
    cells = [result_of("proseg", fold, metrics={"ged": 0.1}, record=faults) for fold in (0, 1)]
    assert rows(*cells)["proseg"].failures == ("metric 'x' raised",)


@pytest.mark.parametrize("field", ["data_digest", "split_digest"])
def test_cells_of_different_data_or_splits_are_never_mixed(field: str):
    other = result_of("proseg-prior", metrics={"ged": 0.2}, **{field: "e" * 64})
    with pytest.raises(IncompatibleError, match="different data or splits") as caught:
        rows(result_of("proseg", metrics={"ged": 0.1}), other)
    assert "eeeeeeeeeeee" in caught.value.found


def test_each_data_set_has_a_table_in_the_order_in_which_they_come():
    runs = [run_of(result_of(metrics={"ged": 0.1}, dataset=name)) for name in ("lidc", "phantom", "lidc")]
    tables = tabulate(runs, REGISTRY, STRICT)
    assert [(table.dataset, [row.run for row in table.rows]) for table in tables] == [
        ("lidc", [runs[0], runs[2]]), ("phantom", [runs[1]]),
    ]  # fmt: skip
    assert tabulate([], REGISTRY, STRICT) == []


def test_a_table_shows_the_metrics_that_are_meant_for_it_or_those_that_were_asked_for():
    run = run_of(result_of(metrics={"ged": 0.1, "ged_pp": 0.2, "dice_max": 0.3}))
    shown = [list(tabulate([run], REGISTRY, STRICT, only)[0].columns) for only in ((), ("ged_pp",), ("ece",))]
    assert [set(names) for names in shown] == [{"ged", "dice_max"}, {"ged_pp"}, set()]
    values = [tabulate([run], REGISTRY, STRICT, every=every)[0].rows[0].values for every in (True, False)]
    assert [set(own) for own in values] == [{"ged", "ged_pp", "dice_max"}, {"ged", "dice_max"}]
    with pytest.raises(UnknownNameError, match="gde"):
        tabulate([run], REGISTRY, STRICT, ("gde",))


def square(side: int, size: int = 8) -> np.ndarray:
    mask = np.zeros((size, size), np.float32)
    mask[:side, :side] = 1
    return mask


@pytest.fixture
def drawn(tmp_path: Path) -> MethodRun:
    """Two samples of squares with sides 4 and 8 against one rater's 4; the record holds another number."""
    drawn = {"s, 0": (square(4)[None], [square(4), square(8)], {})}
    cell = StoredCell("proseg-prior", drawn=drawn, spec={"samples": 2})
    (run,) = runs_of(store_run(tmp_path, "r", cell))
    (result,) = run.results
    record = {**(result.record or {}), "metrics": {"dice_max_reverse": {"value": 0.123}}}
    return replace(run, results=(replace(result, record=record),))


def test_records_are_believed_under_their_protocol_and_predictions_are_scored_otherwise(drawn: MethodRun):
    def value(protocol: Any = STRICT, **how: Any) -> float:
        (table,) = tabulate([drawn], REGISTRY, protocol, ("dice_max_reverse",), **how)
        return table.rows[0].values["dice_max_reverse"].mean

    whole = (1 + 2 * 16 / 80) / 2
    assert value() == 0.123
    assert value(rescore=True) == pytest.approx(whole)
    assert value(PUBLISHED) == pytest.approx(whole)
    assert value(samples=[1]) == 1


def test_budgets_have_a_row_each_without_costs_and_say_that_they_are_of_the_first_samples(drawn: MethodRun):
    (table,) = tabulate([drawn], REGISTRY, STRICT, samples=[1, 2])
    assert [(row.label, row.samples, row.costs) for row in table.rows] == [
        (f"proseg-prior, S {n}", n, {}) for n in (1, 2)
    ]
    assert ["first samples" in row.caveats for row in table.rows] == [True, False]
    with pytest.raises(UsageError, match="cannot be scored at 3 samples") as caught:
        tabulate([drawn], REGISTRY, STRICT, samples=[3])
    assert caught.value.expected == "at most S = 2, which are stored"
    with pytest.raises(UsageError, match="no sample budget changes dice_rater"):
        tabulate([drawn], REGISTRY, STRICT, ("dice_rater",), samples=[1])


def test_exchangeable_raters_have_no_metric_that_follows_a_rater():
    assert "dice_rater" not in applicable_metrics(REGISTRY, "exchangeable")
    assert "dice_rank" not in applicable_metrics(REGISTRY, "exchangeable")
    assert not {"dice_rater", "rater_identification"} & {*applicable_metrics(REGISTRY, "ranked")}
    assert "dice_rank" in applicable_metrics(REGISTRY, "ranked")
    values = {"ged": 0.1, "dice_rater": 0.5}
    run = MethodRun((result_of(metrics=values),), {**DESCRIPTION, "raters": "exchangeable"})
    (table,) = tabulate([run], REGISTRY, STRICT)
    assert set(table.rows[0].values) == {"ged"}


def test_an_empty_registry_has_no_metrics():
    assert applicable_metrics(Registry(), "identified") == {}
