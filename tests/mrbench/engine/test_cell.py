"""A cell's specification: what enters its digests, and what a stranger's may not do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mrbench.engine.cell import CellSpec
from mrbench.errors import DataError

SPEC = CellSpec(
    method="proseg", dataset="phantom", kind="method", family="proseg", sampler="posterior", method_version="1",
    capabilities=("diverse",), options={"a": 1, "b": 2}, training={"a": 1}, prediction={"b": 2}, preset="quick",
    changed={}, dataset_options={}, dataset_changed={}, data_digest="d", split="strict", split_digest="s", fold=0,
    seed=0, samples=50,
)  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"training": {"a": 2}}, {"data_digest": "e"}, {"split_digest": "t"}, {"method_version": "2"}, {"family": "other"}],
)
def test_what_moves_the_training_enters_both_digests(change: dict[str, Any]):
    changed = replace(SPEC, **change)
    assert changed.training_digest != SPEC.training_digest
    assert changed.digest != SPEC.digest


@pytest.mark.parametrize(
    "change", [{"prediction": {"b": 3}}, {"samples": 4}, {"limit": 3}, {"sampler": "prior"}, {"method": "proseg-prior"}]
)
def test_what_moves_predictions_alone_shares_the_training(change: dict[str, Any]):
    changed = replace(SPEC, **change)
    assert changed.training_digest == SPEC.training_digest
    assert changed.digest != SPEC.digest


@pytest.mark.parametrize("change", [{"preset": "x"}, {"changed": {"a": "1"}}, {"capabilities": ()}])
def test_words_for_people_enter_no_digest(change: dict[str, Any]):
    assert replace(SPEC, **change).digest == SPEC.digest


def test_absent_raters_are_another_training():
    sparse = [replace(SPEC, raters_present=n, sparsity=drawn) for n in (1, 2) for drawn in ("per_step", "fixed")]
    assert len({spec.training_digest for spec in (SPEC, *sparse)}) == 5
    assert len({spec.digest for spec in (SPEC, *sparse)}) == 5


def test_without_absent_raters_digests_are_those_of_before_there_were_any():
    assert SPEC.training_digest == "05af2dbcb0baf111bee24f33aad8cd17db74099908a71add3311c4add6c1efc7"
    assert SPEC.digest == "84887e017330ca173c159ac758abc5bd3a753700511c5058f86d9a8232c52db1"
    assert replace(SPEC, sparsity="fixed").digest == SPEC.digest, "which raters are absent says nothing where none is"
    assert not {"raters_present", "sparsity"} & set(SPEC.as_json()), "else runs of before would have other names"


def test_a_precision_is_another_training_and_float32_is_none_to_tell():
    low = replace(SPEC, precision="bf16")
    assert low.training_digest != SPEC.training_digest
    assert low.digest != SPEC.digest
    assert low.as_json()["precision"] == "bf16"
    assert "precision" not in SPEC.as_json(), "else runs of before would have other names"
    sparse = replace(low, raters_present=2)
    assert set(sparse.conditions) == {"raters_present", "sparsity", "precision"}
    assert len({spec.training_digest for spec in (SPEC, low, sparse, replace(sparse, precision="float32"))}) == 4


def test_folds_and_seeds_have_folders_of_their_own():
    folders = {replace(SPEC, fold=fold, seed=seed).folder(Path("r")) for fold in (0, 1) for seed in (0, 1)}
    assert len(folders) == 4


def test_a_specification_survives_json():
    for spec in (SPEC, replace(SPEC, raters_present=2, sparsity="fixed"), replace(SPEC, precision="bf16")):
        assert CellSpec.from_json(spec.as_json()) == spec
    assert replace(SPEC, method="some-dist:na.me_x").folder(Path("r")).is_relative_to("r/cells")


@pytest.mark.parametrize(
    "change",
    [
        {"dataset": "../../etc"}, {"method": "a/b"}, {"family": ".."}, {"method": 3}, {"dataset": ""}, {"fold": -1},
        {"raters_present": 0}, {"sparsity": "weekly"}, {"precision": "float16"},
        {"samples": 0}, {"training": 5}, {"kind": "other"}, {"unknown": 1}, {"method": "x" * 300}, {"family": "a..b"},
    ],
)  # fmt: skip
def test_a_strangers_specification_is_checked(change: dict[str, Any]):
    with pytest.raises(DataError, match="no specification of a cell"):
        CellSpec.from_json(SPEC.as_json() | change)
