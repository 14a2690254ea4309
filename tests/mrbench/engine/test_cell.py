"""A cell's specification: what enters its digests, and what a stranger's may not do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mrbench.engine.cell import CellSpec
from mrbench.engine.conditions import Conditions
from mrbench.errors import DataError

SPEC = CellSpec(
    method="proseg", dataset="phantom", kind="method", family="proseg", sampler="posterior", method_version="1",
    capabilities=("diverse",), options={"a": 1, "b": 2}, training={"a": 1}, prediction={"b": 2}, preset="quick",
    changed={}, dataset_options={}, dataset_changed={}, data_digest="d", split="strict", split_digest="s", fold=0,
    seed=0, samples=50,
)  # fmt: skip


def under(**conditions: Any) -> CellSpec:
    return replace(SPEC, conditions=Conditions(**conditions))


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
    sparse = [under(raters_present=n, sparsity=drawn) for n in (1, 2) for drawn in ("per_step", "fixed")]
    assert len({spec.training_digest for spec in (SPEC, *sparse)}) == 5
    assert len({spec.digest for spec in (SPEC, *sparse)}) == 5


def test_without_absent_raters_digests_are_those_of_before_there_were_any():
    assert SPEC.training_digest == "05af2dbcb0baf111bee24f33aad8cd17db74099908a71add3311c4add6c1efc7"
    assert SPEC.digest == "84887e017330ca173c159ac758abc5bd3a753700511c5058f86d9a8232c52db1"
    assert under(sparsity="fixed").digest == SPEC.digest, "which raters are absent says nothing where none is"
    assert not {"raters_present", "sparsity"} & set(SPEC.as_json()), "else runs of before would have other names"


def test_a_precision_is_another_training_and_float32_is_none_to_tell():
    low = under(precision="bf16")
    assert low.training_digest != SPEC.training_digest
    assert low.digest != SPEC.digest
    assert low.as_json()["precision"] == "bf16"
    assert "precision" not in SPEC.as_json(), "else runs of before would have other names"
    sparse = under(precision="bf16", raters_present=2)
    assert {"raters_present", "sparsity", "precision"} < set(sparse.as_json())
    assert len({spec.training_digest for spec in (SPEC, low, sparse, under(raters_present=2))}) == 4


@pytest.mark.parametrize(
    ("conditions", "training", "cell"),
    [
        (
            {"raters_present": 2},
            "79be6916eac1f612e21a5a452886413958253598242999417877b49345bc9874",
            "1cfc5683929e00f733cdb4b7eb46a414977b7948dfac605f2e4aecc9e72efbd7",
        ),
        (
            {"raters_present": 1, "sparsity": "fixed"},
            "2ec88a4f048d5e5bf5d89e3442141807cb15c699c1416b8634e1d9344d0e1a54",
            "a9b61703e5600875dea973d9917ff704314e94cd6f93eefb478a65fccbe9d9ee",
        ),
        (
            {"precision": "bf16"},
            "af186c37f5be8b892a5c893ae8e4723bf86d75e78e1b8414ca1a995e399e2103",
            "a62046bd8de9c1542820dc62daee6b7f3a9689acdba5f0df458912926b1f2be2",
        ),
        (
            {"raters_present": 3, "sparsity": "fixed", "precision": "bf16"},
            "ded2df42eddac4a32a6e40e864129db7b25e93cf4c9e7eebfa3ec37c2c621f2f",
            "e0d08ebca72800685b4ee192eb75614bf8f1a5c8f558817d39075be049f9cd7f",
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
