"""Marginals only: what must remain of a method whose answers are known, and of one that gives its marginals already."""

from pathlib import Path

import numpy as np
import pytest

import mrbench
from mrbench.engine.model import Model
from mrbench.errors import UsageError
from mrbench.results.collection import Results

TOY = Path(__file__).parents[2] / "toys" / "constants.py"
TINY = {"phantom.subjects": 9, "phantom.size": 32}
IMAGE = np.full((1, 32, 32), 100, np.uint8)


def run(out: Path, *methods: str, **settings: object) -> Results:
    return mrbench.run(
        methods, "phantom", preset="quick", settings={**TINY, **settings}, folds=[0], samples=5, limit=1, out=out,
        plugin_files=TOY,
    )  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("marginals") / "results"
    found = run(folder, "constant", "marginals", **{"marginals.of": "constants.py:constant", "marginals.draws": 40})
    assert [cell.status for cell in found.cells] == ["ok", "ok"]
    return folder


@pytest.fixture(scope="module")
def models(out: Path):
    results = mrbench.load_results(out, plugin_files=TOY)
    return lambda name: mrbench.load_model(results.cell(name), plugin_files=TOY, device="cpu")


def test_a_share_of_the_samples_that_is_the_members_mean_marks_every_pixel(models) -> None:
    # The toy gives one probability to all pixels: a level set of it is everything or nothing.
    member, model = models("constants.py:constant"), models("marginals")
    mean = member.sample(IMAGE, 40, probabilities=True)[:40, 1].mean()
    found = model.sample(IMAGE, 2000, probabilities=True)
    assert found.shape == (2000, 2, 32, 32)
    marked = found[:, 1].reshape(2000, -1)
    assert (marked.min(axis=1) == marked.max(axis=1)).all()
    assert marked.mean() == pytest.approx(mean, abs=4 * np.sqrt(0.25 / 2000))


def test_samples_are_their_seeds_and_do_not_depend_on_how_many_there_are(models) -> None:
    model: Model = models("marginals")
    first = model.sample(IMAGE, 20, probabilities=True)
    assert np.array_equal(model.sample(IMAGE, 7, probabilities=True), first[:7])
    assert not np.array_equal(model.sample(IMAGE, 20, seed=3, probabilities=True), first)


def test_it_needs_the_members_one_training_and_gives_samples_alone(out: Path) -> None:
    results = mrbench.load_results(out, plugin_files=TOY)
    plain, wrapped = results.cell("constants.py:constant").spec, results.cell("marginals").spec
    assert [one.training_folder(out) for one in wrapped.trainings] == [plain.training_folder(out)]
    assert "diverse" in wrapped.capabilities
    assert "personal" not in wrapped.capabilities
    assert "consensus" not in wrapped.capabilities


def test_other_draws_of_the_mean_are_another_cell_of_the_same_training(out: Path, tmp_path: Path) -> None:
    cells = [
        run(tmp_path, "marginals", **{"marginals.of": "constants.py:constant", "marginals.draws": n}).cells[0].spec
        for n in (2, 3)
    ]
    assert cells[0].digest != cells[1].digest
    assert cells[0].training_digest == cells[1].training_digest


@pytest.mark.parametrize("of", ["staple", "ensemble", "tta", "marginals"])
def test_fusions_and_wrappers_are_refused(of: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"'marginals' cannot be made of '{of}'"):
        run(tmp_path / "out", "marginals", **{"marginals.of": of})
    with pytest.raises(UsageError, match="'ensemble' cannot be made of 'marginals'"):
        run(tmp_path / "out", "ensemble", **{"ensemble.of": "marginals"})
    assert not (tmp_path / "out").exists()
