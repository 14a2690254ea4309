"""A model file predicts what its run predicted, bit for bit, says what it is, and holds nothing of the machine."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_files import planned
from run_predictions import assert_predicts_the_same, threads_of

import mrbench
from mrbench.applying.export import export_model, portable
from mrbench.applying.scope import Scope, scope_of_file
from mrbench.applying.trainings import Trainings, find_trainings
from mrbench.engine.cell import CellSpec
from mrbench.engine.model_file import read_model_file
from mrbench.engine.run import Run
from mrbench.errors import DataError, PluginError, UsageError
from mrbench.registry import Registry, discover

TINY = {"subjects": 9, "size": 32}
SLICES = ("proseg", "dpersona-2", "ensemble", "tta")
VOLUMES = ("proseg", "unet-majority")
SAMPLES = 3

Ran = dict[str, tuple[Run, mrbench.CaseSet]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Runs on slices and on volumes: samples, raters, two stages, an ensemble of two trainings, and flips."""
    found: Ran = {}
    for unit, methods in (("slice", SLICES), ("volume", VOLUMES)):
        options = TINY | {"unit": unit}
        settings = {f"phantom.{name}": value for name, value in options.items()} | {"epochs": 15}
        if unit == "slice":
            settings |= {"ensemble.of": "proseg", "ensemble.k": 2, "tta.of": "proseg"}
        out = tmp_path_factory.mktemp(unit) / "results"
        done = mrbench.run(
            methods, "phantom", preset="quick", settings=settings, folds=[0], samples=SAMPLES, limit=2, out=out
        )
        assert not [cell.reason for cell in done.cells if cell.status != "ok"]
        found[unit] = done.sources[0], mrbench.load_dataset("phantom", **options)
    return found


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


def trainings(run: Run, method: str) -> Trainings:
    return find_trainings(f"{run.id}:{method}:0", run.results)


@pytest.mark.parametrize(
    ("unit", "method"), [*(("slice", one) for one in SLICES), *(("volume", one) for one in VOLUMES)]
)
def test_an_exported_model_predicts_what_its_run_predicted_bit_for_bit(
    ran: Ran, registry: Registry, tmp_path: Path, unit: str, method: str
):
    run, data = ran[unit]
    chosen, file = trainings(run, method), tmp_path / "m.mrbench"
    assert export_model(chosen, file, registry) == []
    (result,) = chosen.results
    assert result.folder is not None
    with threads_of(result.folder):
        exported, own = mrbench.load_model(file), mrbench.load_model(result)
        assert assert_predicts_the_same(exported, result.folder, data, SAMPLES), "nothing is shown by empty masks"
        image = data.pixels.image(0)
        for a, b in zip(exported.draws(image, 4), own.draws(image, 4), strict=True):
            assert (a.kind, a.rater) == (b.kind, b.rater)
            assert np.array_equal(a.probability, b.probability)
    assert exported.spec.digest == own.spec.digest
    assert exported.rater_names == own.rater_names
    assert exported.other_code == ""


def test_exported_twice_it_is_the_same_bytes_and_nothing_is_written_over(ran: Ran, registry: Registry, tmp_path: Path):
    chosen = trainings(ran["slice"][0], "proseg")
    for name in "ab":
        export_model(chosen, tmp_path / name, registry)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with pytest.raises(UsageError, match="a is there already"):
        export_model(chosen, tmp_path / "a", registry)


def test_the_card_says_what_it_is_what_it_was_trained_on_and_how_well_it_did(
    ran: Ran, registry: Registry, tmp_path: Path
):
    run, data = ran["slice"]
    chosen = trainings(run, "ensemble")
    export_model(chosen, tmp_path / "m", registry)
    file = read_model_file(tmp_path / "m")
    lines = file.card.splitlines()
    record = chosen.results[0].record or {}
    plugin, member = registry.get("method", "ensemble").card, registry.get("method", "proseg").card
    for line in (
        "# ensemble, trained on phantom",
        "Research software, not for clinical use.",
        f"- what: {plugin.summary}",
        f"- what of proseg: {member.summary}",
        f"- citation of proseg: {member.citation}",
        "- plugin: ensemble of mrbench 0.1.0, proseg of mrbench 0.1.0",
        f"- licence: {data.description.licence}",
        "- raters: tight, generous, smooth, halo (the same persons in every case)",
        "- size (H x W): 32 x 32",
        "- spacing (mm): 1.4x1.4",
        "On the 2 test cases of this fold of phantom, 3 samples each.",
        "- first 2 cases",
        "- preset quick",
    ):
        assert line in lines, file.card
    value = record["metrics"]["ged"]["value"]
    shown = next(line for line in lines if line.startswith("- ged ↓ "))
    assert float(shown.split()[3].rstrip(":")) == pytest.approx(value, abs=1e-4)
    assert file.facts.metrics["ged"] == value
    assert scope_of_file(file) == Scope.of(data)


def test_nothing_of_the_machine_is_in_the_file(ran: Ran, registry: Registry, tmp_path: Path):
    run, _ = ran["slice"]
    export_model(trainings(run, "proseg"), tmp_path / "m", registry)
    content = (tmp_path / "m").read_bytes()
    for secret in (str(run.results), str(tmp_path), str(Path.home()), str(Path.cwd())):
        assert len(secret) < 4 or secret.encode() not in content


def spec_with(registry: Registry, folder: Path, **options: Any) -> CellSpec:
    spec, _ = planned("proseg", folder, registry)
    return replace(spec, options=dict(spec.options) | options)


def test_files_that_training_began_from_are_left_out_and_digests_stay(registry: Registry, tmp_path: Path):
    weights = str(tmp_path / "imagenet.pth")
    backbone = {"name": "resnet34", "width": 2, "depth": 2, "weights": weights}
    spec = spec_with(registry, tmp_path, backbone=backbone)
    spec = replace(
        spec,
        changed={"backbone.weights": weights, "epochs": 3},
        training=dict(spec.training) | {"backbone.weights": {"sha256": "0" * 64}},
        dataset_options={"path": str(tmp_path / "mine.h5"), "subjects": 9},
        dataset_changed={"path": str(tmp_path / "mine.h5")},
    )
    found = portable(spec, registry)
    assert found.options["backbone.weights"] is None
    assert found.changed == {"epochs": 3}
    assert found.dataset_options == {"path": "mine.h5", "subjects": 9}
    assert (found.digest, found.training_digest) == (spec.digest, spec.training_digest)
    assert str(tmp_path) not in json.dumps(found.as_json())
    needed = replace(spec, prediction={"backbone.weights": {"sha256": "0" * 64}})
    with pytest.raises(UsageError, match=r"cannot be exported(.|\n)*'backbone\.weights' is of the prediction"):
        portable(needed, registry)


def test_a_method_that_saves_in_a_way_of_its_own_is_not_exported(
    ran: Ran, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from mrbench_proseg.method import ProSeg

    def save(self: Any, folder: Path) -> None:
        torch.save({}, folder / "more.pt")

    monkeypatch.setattr(ProSeg, "save", save)
    with pytest.raises(PluginError, match=r"ProSeg keeps more than(.|\n)*a way of its own"):
        export_model(trainings(ran["slice"][0], "proseg"), tmp_path / "m", registry)
    assert not (tmp_path / "m").exists()


def test_without_its_data_set_the_file_says_nothing_of_sizes_and_that_is_told(
    ran: Ran, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from mrbench.applying import scope

    def absent(*_: object) -> mrbench.CaseSet:
        raise DataError("data set 'phantom' is not there")

    monkeypatch.setattr(scope, "load_cases", absent)
    (note,) = export_model(trainings(ran["slice"][0], "tta"), tmp_path / "m", registry)
    assert "data set 'phantom' is not there" in note
    file = read_model_file(tmp_path / "m")
    assert scope_of_file(file) is None
    assert "- size and spacing: not known: images of any are taken" in file.card.splitlines()


@pytest.mark.parametrize(
    "change",
    [
        lambda seen: seen | {"window": [0, 32]},
        lambda seen: seen | {"window": [2**40, 32]},
        lambda seen: seen | {"sizes": [[1, 2]]},
        lambda seen: seen | {"spacings": [[0.0, 1.0]] * 3},
        lambda seen: {"window": [32, 32]},
    ],
)
def test_sizes_that_no_image_has_are_refused(
    ran: Ran, registry: Registry, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
):
    export_model(trainings(ran["slice"][0], "proseg"), tmp_path / "m", registry)
    file = read_model_file(tmp_path / "m")
    wrong = replace(file, facts=replace(file.facts, seen=change(file.facts.seen or {})))
    with pytest.raises(DataError, match=r"cannot read what .* says of its images"):
        scope_of_file(wrong)
