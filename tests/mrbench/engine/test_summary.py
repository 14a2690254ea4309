"""Rows: folds, seeds, failures and who may be ranked with whom."""

from dataclasses import replace
from typing import Any

import pytest

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.conditions import Conditions
from mrbench.engine.run import CellResult, Run
from mrbench.engine.score import applicable_metrics, scoring_digests
from mrbench.engine.summary import summarise
from mrbench.errors import IncompatibleError
from mrbench.metrics.protocol import STRICT
from mrbench.registry import Registry, discover

REGISTRY = discover()
DESCRIPTION = {"raters": "identified", "rater_names": ["a", "b"], "unit": "slice"}


def cell(
    method: str, fold: int = 0, seed: int = 0, samples: int = 50, status: Status = Status.OK, **metrics: Any
) -> CellResult:
    record = REGISTRY.get("method", method).record
    spec = CellSpec(
        method=method, dataset="phantom", kind=record.kind, family=record.family, sampler=record.sampler,
        method_version="1", capabilities=tuple(record.capabilities), options={}, training={}, prediction={},
        preset="quick", changed={}, dataset_options={}, dataset_changed={}, data_digest=metrics.pop("data", "d"),
        split="strict", split_digest="s", fold=fold, seed=seed, samples=50,
    )  # fmt: skip
    stored = {name.replace("_at_", "@"): {"value": value} for name, value in metrics.items()}
    record_json = {
        "metrics": stored,
        "scoring": scoring_digests(applicable_metrics(REGISTRY, "identified"), STRICT),
        "environment": {"shared_device": False},
        "profile": {"phases": {"predict": {"seconds": 1.0, "peak_memory_mib": 10.0}}},
    }
    reason = "" if status is Status.OK else "what went wrong\nin detail"
    return CellResult(spec, status, reason, record_json if status is Status.OK else None)


def rows(*results: CellResult) -> dict[str, Any]:
    from pathlib import Path

    run = Run("x", Path(), [(r.spec, "") for r in results], {"phantom": DESCRIPTION}, "mrbench run")
    (table,) = summarise(run, results, REGISTRY, STRICT)
    return {row.method: row for row in table.rows}


def test_mean_and_sample_deviation_are_over_folds_of_means_over_seeds():
    values = {(0, 0): 0.1, (0, 1): 0.3, (1, 0): 0.4, (1, 1): 0.4}  # by fold and seed
    found = rows(*(cell("proseg", fold, seed, ged=value) for (fold, seed), value in values.items()))["proseg"]
    assert found.metrics["ged"].mean == pytest.approx(0.3)
    assert found.metrics["ged"].sd == pytest.approx(0.1414213562)
    assert found.metrics["ged"].n == 2


def test_a_failed_cell_is_named_and_keeps_its_row_out_of_the_ranks():
    others = [cell("proseg-prior", fold, ged=0.2) for fold in (0, 1)]
    found = rows(cell("proseg", 0, ged=0.1), cell("proseg", 1, status=Status.DIVERGED), *others)
    assert found["proseg"].cells == (1, 2)
    assert found["proseg"].failures == ("fold1-seed0 diverged: what went wrong",)
    assert not found["proseg"].best
    assert not found["proseg-prior"].best, "nobody is left to be better than"


def test_sample_metrics_rank_rows_of_equal_samples_only():
    found = rows(cell("proseg", ged=0.1, dice_rater=0.8), cell("unet-majority", ged=0.3, dice_rater=0.7))
    assert found["proseg"].best == {"dice_rater"}
    found = rows(cell("proseg", ged=0.1), cell("proseg-prior", ged=0.3))
    assert found["proseg"].best == {"ged"}


def test_lower_is_better_where_the_metric_says_so_and_ties_share():
    found = rows(cell("proseg", ged=0.2, dice_soft=0.9), cell("proseg-prior", ged=0.2, dice_soft=0.8))
    assert found["proseg"].best == {"ged", "dice_soft"}
    assert found["proseg-prior"].best == {"ged"}


def test_rows_that_see_the_masks_are_bounds_and_never_ranked():
    found = rows(cell("level-sets", ged=0.0), cell("proseg", ged=0.1), cell("proseg-prior", ged=0.2))
    assert "sees test masks" in found["level-sets"].marks
    assert not found["level-sets"].best
    assert found["proseg"].best == {"ged"}


def test_what_was_set_beside_the_preset_and_another_split_are_marked():
    changed = replace(cell("proseg", ged=0.1).spec, changed={"epochs": "3"}, split="published-slice")
    result = replace(cell("proseg", ged=0.1), spec=changed)
    leaky = "split published-slice, which may train on test subjects"
    assert {"epochs = 3", leaky, "preset quick"} <= set(rows(result)["proseg"].marks)


@pytest.mark.parametrize(
    ("raters", "sparsity", "words"),
    [(1, "per_step", "1 rater present per step"), (2, "fixed", "2 raters present per case")],
)
def test_a_training_with_absent_raters_is_marked(raters: int, sparsity: Any, words: str):
    full = cell("proseg", ged=0.1)
    sparse = replace(full, spec=replace(full.spec, conditions=Conditions(raters_present=raters, sparsity=sparsity)))
    assert rows(sparse)["proseg"].marks == (words, *rows(full)["proseg"].marks)


def test_a_training_in_bf16_is_marked():
    full = cell("proseg", ged=0.1)
    low = replace(full, spec=replace(full.spec, conditions=Conditions(precision="bf16")))
    assert rows(low)["proseg"].marks == ("trained in bf16", *rows(full)["proseg"].marks)


def test_cells_of_different_data_are_never_mixed():
    with pytest.raises(IncompatibleError, match="different data"):
        rows(cell("proseg", ged=0.1), cell("proseg-prior", ged=0.2, data="other"))


def test_exchangeable_raters_have_no_metric_that_follows_a_rater():
    assert "dice_rater" not in applicable_metrics(REGISTRY, "exchangeable")
    assert "dice_rater" in applicable_metrics(REGISTRY, "ranked")


def test_an_empty_registry_has_no_metrics():
    assert applicable_metrics(Registry(), "identified") == {}
