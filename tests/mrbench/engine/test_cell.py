"""A cell's specification: what enters its digests, and what a stranger's may not do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mrbench.engine.cell import CellSpec
from mrbench.engine.conditions import Conditions
from mrbench.errors import DataError

SPEC = CellSpec(
    method="proseg", dataset="phantom", kind="method", family="proseg", gives="samples raters", method_version="1",
    capabilities=("diverse",), options={"a": 1, "b": 2}, training={"a": 1}, prediction={"b": 2}, preset="quick",
    changed={}, dataset_options={}, dataset_changed={}, data_digest="d", split="strict", split_digest="s", fold=0,
    seed=0, samples=50,
)  # fmt: skip


def under(**conditions: Any) -> CellSpec:
    return replace(SPEC, conditions=Conditions(**conditions))


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"a": 2}},
        {"data_digest": "e"},
        {"split_digest": "t"},
        {"method_version": "2"},
        {"family": "other"},
        {"training_code": "c" * 64},
        {"conditions": Conditions(threads=2)},
    ],
)
def test_what_moves_the_training_enters_both_digests(change: dict[str, Any]):
    changed = replace(SPEC, **change)
    assert changed.training_digest != SPEC.training_digest
    assert changed.digest != SPEC.digest


@pytest.mark.parametrize(
    "change", [
        {"prediction": {"b": 3}}, {"samples": 4}, {"limit": 3}, {"gives": "samples"}, {"method": "proseg-prior"},
        {"prediction_code": "c" * 64},
    ],
)  # fmt: skip
def test_what_moves_predictions_alone_shares_the_training(change: dict[str, Any]):
    changed = replace(SPEC, **change)
    assert changed.training_digest == SPEC.training_digest
    assert changed.digest != SPEC.digest


@pytest.mark.parametrize(
    "change", [{"preset": "x"}, {"changed": {"a": "1"}}, {"capabilities": ()}, {"objective": {"a": 1}}]
)
def test_words_for_people_enter_no_digest(change: dict[str, Any]):
    assert replace(SPEC, **change).digest == SPEC.digest


def test_absent_raters_are_another_training():
    sparse = [under(raters_present=n, sparsity=drawn) for n in (1, 2) for drawn in ("per_step", "fixed")]
    assert len({spec.training_digest for spec in (SPEC, *sparse)}) == 5
    assert len({spec.digest for spec in (SPEC, *sparse)}) == 5


def test_without_absent_raters_digests_are_those_of_before_there_were_any():
    assert SPEC.training_digest == "17f11a5dda0a3dc55d0578925100c3a7c30a37586c867222dcd7e0b50d0ebc55"
    assert SPEC.digest == "b58ab1f93220c30469a1be75f09223976199fb78f7a176ee3e8c0bdd71d298b0"
    assert under(sparsity="fixed").digest == SPEC.digest, "which raters are absent says nothing where none is"
    assert not {"raters_present", "sparsity"} & set(SPEC.as_json()), "else runs of before would have other names"


def test_a_precision_is_another_training_and_float32_is_none_to_tell():
    low = under(precision="bf16")
    assert low.training_digest != SPEC.training_digest
    assert low.digest != SPEC.digest
    assert low.as_json()["precision"] == "bf16"
    assert not {"precision", "objective"} & set(SPEC.as_json()), "else runs of before would have other names"
    sparse = under(precision="bf16", raters_present=2)
    assert {"raters_present", "sparsity", "precision"} < set(sparse.as_json())
    assert len({spec.training_digest for spec in (SPEC, low, sparse, under(raters_present=2))}) == 4


@pytest.mark.parametrize(
    ("conditions", "training", "cell"),
    [
        (
            {"raters_present": 2},
            "e5b87bd1d4e42d5c6726670a77a5a4229060418efc671834381ce290972c27b9",
            "adf1a8021fa110e26e41f642da4d4209bdc3f01999feab935f12e8fc107a4598",
        ),
        (
            {"raters_present": 1, "sparsity": "fixed"},
            "4d2b17d7f362416a3466fd3fc06a6ce1bb1882aea9201deacbcc899dd12ab0fb",
            "3305ccf8496fc83b9dd3de681774bb87611668a2c813352957091a7c5678216e",
        ),
        (
            {"precision": "bf16"},
            "340f8e5a4ff30e2d283c38aae110cf25ef9ba23fb477fcec3ebf5f6fe65b77e8",
            "e865b7924c61abea827f694d86c8166c6e3cf48bfd3c11a04c58bba3a8a47864",
        ),
        (
            {"raters_present": 3, "sparsity": "fixed", "precision": "bf16"},
            "ac60655b3724657a2b2bcc4dbecfb4ba98bf63bf00ad0778b709c32d2ae63708",
            "85358f61375e4bcb304855eb9357263b1d869861560f6427932e7c98495aad7c",
        ),
    ],
)
def test_trainings_that_lie_on_disks_keep_their_digests(conditions: dict[str, Any], training: str, cell: str):
    spec = under(**conditions)
    assert spec.training_digest == training
    assert spec.digest == cell


def test_folds_and_seeds_have_folders_of_their_own():
    folders = {replace(SPEC, fold=fold, seed=seed).folder(Path("r")) for fold in (0, 1) for seed in (0, 1)}
    assert len(folders) == 4


def test_a_specification_survives_json():
    for spec in (SPEC, under(raters_present=2, sparsity="fixed"), under(precision="bf16")):
        assert CellSpec.from_json(spec.as_json()) == spec
    assert replace(SPEC, method="some-dist:na.me_x").folder(Path("r")).is_relative_to("r/cells")


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "../../etc"}, {"method": "a/b"}, {"family": ".."}, {"method": 3}, {"dataset": ""}, {"fold": -1},
        {"raters_present": 0}, {"sparsity": "weekly"}, {"precision": "float16"}, {"conditions": {}},
        {"samples": 0}, {"training": 5}, {"kind": "other"}, {"unknown": 1}, {"method": "x" * 300}, {"family": "a..b"},
    ],
)  # fmt: skip
def test_a_strangers_specification_is_checked(change: dict[str, Any]):
    with pytest.raises(DataError, match="no specification of a cell"):
        CellSpec.from_json(SPEC.as_json() | change)
