"""A model from Python predicts what its run predicted, and says what it cannot."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from run_predictions import assert_predicts_the_same, threads_of

import mrbench
from mrbench.applying.export import export_model
from mrbench.applying.trainings import Trainings
from mrbench.engine.cell import CellSpec
from mrbench.engine.draws import Source
from mrbench.engine.model import Model
from mrbench.engine.record import write_record
from mrbench.engine.run import Run
from mrbench.errors import DataError, PluginError, UnknownNameError, UsageError
from mrbench.registry import discover

TINY = {"subjects": 9, "size": 32}
METHODS = ("proseg", "unet-majority", "staple")


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A diverse and personal method, one of a single output and a fusion."""
    settings = {f"phantom.{name}": value for name, value in TINY.items()}
    settings |= {"proseg.epochs": 10, "unet-majority.epochs": 1}
    out = tmp_path_factory.mktemp("model") / "results"
    return mrbench.run(
        METHODS, "phantom", preset="quick", settings=settings, folds=[0], samples=6, limit=3, out=out
    ).sources[0]


@pytest.fixture(scope="module")
def data() -> mrbench.CaseSet:
    return mrbench.load_dataset("phantom", **TINY)


@pytest.fixture
def folder(tiny_run: Run) -> Callable[[str], Path]:
    def of(method: str) -> Path:
        return next(spec.folder(tiny_run.results) for spec, _ in tiny_run.cells if spec.method == method)

    return of


@pytest.fixture
def proseg(folder: Callable[[str], Path]) -> Iterator[Model]:
    with threads_of(folder("proseg")):
        yield mrbench.load_model(folder("proseg"))


def test_predictions_of_test_cases_are_those_of_the_run_bit_for_bit(
    proseg: Model, folder: Callable[[str], Path], data: mrbench.CaseSet
):
    marked = assert_predicts_the_same(proseg, folder("proseg"), data, 6)
    assert marked == 3 * (6 + 4), "nothing is shown by empty masks"


def test_a_case_of_the_data_set_is_known_by_its_name(proseg: Model, data: mrbench.CaseSet):
    image, case = data.pixels.image(0), data[0]
    named = proseg.sample(image, 6, case=case.id)
    assert named.shape == (6, 32, 32)
    assert named.dtype == np.uint8
    assert np.array_equal(proseg.sample(case, 6), named)
    assert np.array_equal(proseg.sample(case.without_masks(), 6), named)
    for rater, name in enumerate(proseg.rater_names):
        assert np.array_equal(proseg.as_rater(case, rater), proseg.as_rater(image, name, case=case.id))


def test_labels_are_what_probabilities_say(proseg: Model, data: mrbench.CaseSet):
    labels, found = proseg.sample(data[0], n=3), proseg.sample(data[0], n=3, probabilities=True)
    assert found.shape == (3, 2, 32, 32)
    assert found.dtype == np.float32
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(labels, found[:, 1] > 0.5)
    rater = proseg.as_rater(data[0], "smooth", probabilities=True)
    assert rater.shape == (2, 32, 32)
    assert np.array_equal(proseg.as_rater(data[0], "smooth"), rater[1] > 0.5)


def test_an_image_of_one_channel_may_leave_it_out_and_a_seed_draws_anew(proseg: Model, data: mrbench.CaseSet):
    image = data.pixels.image(0)
    first = proseg.sample(image, 4)
    assert np.array_equal(proseg.sample(image[0], 4), first)
    assert not np.array_equal(proseg.sample(image, 4, seed=1), first)
    assert not np.array_equal(proseg.sample(image, 4, case="another"), first)
    assert np.array_equal(proseg.sample(torch.tensor(image), 4), first)


def test_a_model_says_what_it_is_and_leaves_generators_alone(folder: Callable[[str], Path]):
    state = torch.get_rng_state()
    model = mrbench.load_model(SimpleNamespace(folder=folder("proseg")), device="cpu")
    assert torch.equal(torch.get_rng_state(), state)
    assert isinstance(model.spec, CellSpec)
    assert model.description.rater_names == model.rater_names == ("tight", "generous", "smooth", "halo")


def test_a_single_output_is_one_sample_and_every_raters(folder: Callable[[str], Path], data: mrbench.CaseSet):
    model = mrbench.load_model(str(folder("unet-majority")))
    (only,) = model.sample(data[0])
    assert np.array_equal(only, model.as_rater(data[0], 2))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((2, 32, 32), np.uint8), r"\(C, H, W\) with C = 1"),
        (np.zeros((1, 1, 32, 32), np.uint8), r"found:    \(1, 1, 32, 32\)"),
        (np.zeros(32, np.uint8), r"\(32,\)"),
        (np.full((1, 32, 32), 0.5), "normalised already"),
        (mrbench.Image("x", np.zeros((2, 32, 32), np.float32)), r"found:    \(2, 32, 32\)"),
    ],
)
def test_an_image_of_another_kind_is_refused(proseg: Model, image: np.ndarray, message: str):
    with pytest.raises(UsageError, match=message):
        proseg.sample(image)


def test_a_rater_that_there_is_not_names_the_nearest(proseg: Model, data: mrbench.CaseSet):
    with pytest.raises(UnknownNameError, match="did you mean 'smooth'"):
        proseg.as_rater(data[0], "smoth")
    for wrong in (4, -1, 0.5, True):
        with pytest.raises(UsageError, match=r"expected: 0\.\.3"):
            proseg.as_rater(data[0], wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a whole number from 1"):
        proseg.sample(data[0], n=0)


def test_what_has_no_model_says_so(folder: Callable[[str], Path], tiny_run: Run, tmp_path: Path):
    with pytest.raises(UsageError, match="'staple' is a fusion of the raters' masks and has no model"):
        mrbench.load_model(folder("staple"))
    for wrong in (tiny_run.folder, tmp_path, tmp_path / "nothing"):
        with pytest.raises(UsageError, match="holds no finished cell"):
            mrbench.load_model(wrong)


@pytest.mark.parametrize("packed", [None, 3, mrbench.load_results])
def test_what_lies_in_no_folder_has_no_weights(packed: Any):
    with pytest.raises(UsageError, match=r"lies in no folder and has no weights\n  expected: the folder of a finished"):
        mrbench.load_model(packed)


def test_a_result_that_was_packed_has_no_weights(tiny_run: Run):
    with pytest.raises(UsageError, match="lies in no folder"):
        mrbench.load_model(replace(tiny_run.cell_results()[0], folder=None))


def test_weights_that_are_gone_or_damaged_name_the_command_that_makes_them(
    folder: Callable[[str], Path], tiny_run: Run, tmp_path: Path
):
    results = tmp_path / "results"
    shutil.copytree(tiny_run.results, results)
    cell = results / folder("proseg").relative_to(tiny_run.results)
    (weights,) = results.glob("trainings/*/proseg/*/*/weights")
    file = next(weights.iterdir())
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cannot read the weights(.|\n)*mrbench run --method proseg .*--force"):
        mrbench.load_model(cell)
    shutil.rmtree(weights.parent)
    with pytest.raises(DataError, match=r"proseg on phantom fold0-seed0 are not there(.|\n)*--force"):
        mrbench.load_model(cell)
    elsewhere = tmp_path / "a" / "b" / "c" / "cell"
    shutil.copytree(cell, elsewhere)
    with pytest.raises(DataError, match="copy the whole results folder"):
        mrbench.load_model(elsewhere)


def test_declarations_come_from_any_run_on_the_same_data(folder: Callable[[str], Path], tiny_run: Run, tmp_path: Path):
    results = tmp_path / "results"
    shutil.copytree(tiny_run.results, results)
    cell = results / folder("proseg").relative_to(tiny_run.results)
    run = results / "runs" / tiny_run.id
    (results / "runs" / "damaged").mkdir()
    (results / "runs" / "damaged" / "run.json").write_text("{")
    run.rename(run.with_name("renamed"))
    assert mrbench.load_model(cell).description.name == "phantom"
    shutil.rmtree(results / "runs" / "renamed")
    with pytest.raises(DataError, match="says what data set 'phantom' declares"):
        mrbench.load_model(cell)


def test_a_method_that_changed_since_is_refused(folder: Callable[[str], Path], tiny_run: Run, tmp_path: Path):
    results = tmp_path / "results"
    shutil.copytree(tiny_run.results, results)
    cell = results / folder("unet-majority").relative_to(tiny_run.results)
    record = json.loads((cell / "record.json").read_text())
    spec = CellSpec.from_json(record["spec"] | {"method_version": "0"})
    write_record(cell, record | {"spec": spec.as_json()})
    spec.folder(results).parent.mkdir(parents=True)
    cell.rename(spec.folder(results))
    training = CellSpec.from_json(record["spec"]).training_folder(results)
    spec.training_folder(results).parent.mkdir(parents=True)
    training.rename(spec.training_folder(results))
    said = r"other code than is installed here\n  expected: version 0 of unet-majority\n  found:    version 1\n"
    with pytest.raises(PluginError, match=f"{said}(.|\n)*--other-code"):
        mrbench.load_model(spec.folder(results))
    with pytest.warns(UserWarning, match="predicted by other code: version 1"):
        model = mrbench.load_model(spec.folder(results), other_code=True)
    assert model.other_code == "version 1, in place of version 0 of unet-majority"
    assert model.sample(np.zeros((32, 32), np.uint8)).shape == (1, 32, 32)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["slice", "volume"])
def test_every_method_predicts_what_its_run_predicted_as_does_what_was_exported(tmp_path: Path, unit: str):
    methods = [plugin.key for plugin in discover().of_kind("method") if plugin.card.kind == "method"]
    options = {**TINY, "unit": unit}
    settings = {f"phantom.{name}": value for name, value in options.items()} | {"epochs": 5}
    out, data = tmp_path / "results", mrbench.load_dataset("phantom", **options)
    results = mrbench.run(methods, "phantom", preset="quick", settings=settings, folds=[0], samples=4, limit=2, out=out)
    marked = 0
    for result in results.cells:
        assert result.status == "ok", result.reason
        cell = result.folder
        with threads_of(cell):
            marked += assert_predicts_the_same(mrbench.load_model(cell), cell, data, 4)
            file = tmp_path / f"{result.spec.method}.mrbench"
            export_model(Trainings(results.sources[0], [result]), file, discover())
            marked += assert_predicts_the_same(mrbench.load_model(file), cell, data, 4)
    assert marked


class Echo(mrbench.Method):
    """Its one sample is the image, softly: each channel is the probability of a class."""

    def sample(self, features, noise):
        return mrbench.Probabilities(features.expand(noise.draws, -1, -1, -1, -1))


def test_of_several_classes_the_likeliest_is_the_label_and_volumes_have_a_depth(proseg: Model):
    description = mrbench.Description(
        name="x", version="1", classes=("no", "a", "b"), channels=("p", "q", "r"), raters=mrbench.Raters.IDENTIFIED,
        rater_names=("one",), unit=mrbench.Unit.VOLUME,
    )  # fmt: skip
    record = replace(proseg.card, gives="samples")
    source = Source(Echo(None, description), record, 0, torch.device("cpu"))
    model = Model(proseg.spec, description, source)
    image = np.zeros((3, 2, 4, 4), np.float32)
    image[0], image[1, 1], image[2, 1, 0] = 0.4, 0.35, 0.6
    image /= image.sum(axis=0)
    labels = model.sample(image, 2)
    assert labels.shape == (2, 2, 4, 4)
    assert np.array_equal(labels[0], image.argmax(axis=0))
    assert set(np.unique(labels)) == {0, 2}
    assert np.array_equal(model.sample(image, 1, probabilities=True)[0], image)
    with pytest.raises(UsageError, match=r"\(C, D, H, W\) with C = 3 \(p, q, r\)"):
        model.sample(image[:, 0])
    with pytest.raises(UsageError, match="predicts no rater"):
        model.as_rater(image, "one")
