"""Flips and turns of an image: they leave the grid, are undone exactly, and change no answer that they should not."""

from pathlib import Path

import numpy as np
import pytest

import mrbench
from mrbench.engine.model import Model
from mrbench_wrappers.config import AugmentationConfig
from mrbench_wrappers.tta import TestTimeAugmentation as Augmentation

DESCRIPTION = mrbench.Description(
    name="made", version="1", classes=("no", "yes"), channels=("c",), raters=mrbench.Raters.IDENTIFIED,
    rater_names=("a",),
)  # fmt: skip


@pytest.mark.parametrize(("shape", "views"), [((1, 5, 5), 8), ((1, 5, 7), 4), ((2, 3, 6, 6), 8), ((2, 3, 6, 4), 4)])
def test_the_symmetries_of_the_grid_are_taken_once_each_and_undone(shape: tuple[int, ...], views: int):
    image = np.arange(np.prod(shape)).reshape(shape)
    found = Augmentation(AugmentationConfig(), DESCRIPTION).views(shape)
    seen = [view.forward(image) for view in found]
    assert len({each.tobytes() for each in seen}) == views == len(found)
    assert np.array_equal(seen[0], image)
    assert all(each.shape == shape for each in seen)
    assert all(np.array_equal(view.back(each), image) for view, each in zip(found, seen, strict=True))


CORNER = '''
"""The foreground is the top left quarter of whatever is seen, to the share of a number of that view's own."""

import torch

from mrbench import Method, MethodCard, Probabilities, TrainingOptions, hookimpl

MRBENCH_API = "2"


class Corner(Method):
    def __init__(self, config, description):
        super().__init__(config, description)
        self.unused = torch.nn.Parameter(torch.zeros(()))

    def loss(self, batch):
        return {"nothing": 0 * self.unused}

    def answer(self, x, draws):
        height, width = x.shape[-2:]
        maps = torch.zeros(draws, len(x), height, width)
        maps[..., : height // 2, : width // 2] = 1
        return Probabilities(torch.stack([1 - maps, maps], dim=2))

    def sample(self, features, noise):
        return self.answer(features, len(noise.uniform("u")))

    def consensus(self, features, noise):
        return self.answer(features, 1)


class Options(TrainingOptions):
    """None of its own."""


@hookimpl
def mrbench_methods():
    options = f"{__name__}:Options"
    return [MethodCard(name="corner", code=f"{__name__}:Corner", config=options, gives="samples consensus")]
'''


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("tta")
    (folder / "corner.py").write_text(CORNER)
    settings = {"phantom.subjects": 9, "phantom.size": 32, "tta.of": "corner", "corner.epochs": 1}
    results = mrbench.run(
        "tta", "phantom", settings=settings, folds=[0], samples=10, limit=1, out=folder / "out",
        plugin_files=folder / "corner.py",
    )  # fmt: skip
    assert results.cells[0].status == "ok", results.cells[0].reason
    return mrbench.load_model(results.cells[0], plugin_files=folder / "corner.py", device="cpu")


def test_the_consensus_of_a_corner_is_a_quarter_everywhere(model: Model):
    found = model.sample(np.zeros((1, 32, 32), np.uint8), 10, probabilities=True)
    assert np.allclose(found[10, 1], 0.25)


def test_sample_i_is_seen_through_symmetry_i_mod_8(model: Model):
    found = model.sample(np.zeros((1, 32, 32), np.uint8), 10, probabilities=True)[:, 1]
    quarters = found[:10, ::16, ::16].reshape(10, 4) == 1  # one pixel of each
    assert (quarters.sum(axis=1) == 1).all()
    assert quarters[0].tolist() == quarters[8].tolist() == [True, False, False, False]
    assert quarters[:8].sum(axis=0).tolist() == [2, 2, 2, 2]


def test_tta_needs_one_training_which_plain_runs_share(tmp_path: Path):
    settings = {"phantom.subjects": 9, "phantom.size": 32, "unet-majority.epochs": 1}
    results = mrbench.run(
        ["unet-majority", "tta"], "phantom", preset="quick", settings=settings, folds=[0], samples=2, limit=1,
        out=tmp_path,
    )  # fmt: skip
    plain, wrapped = (results.cell(name).spec for name in ("unet-majority", "tta"))
    assert plain.training_folder(tmp_path) == wrapped.trainings[0].training_folder(tmp_path)
    assert len(list(tmp_path.glob("trainings/*/*/*/fold0-seed0/training.json"))) == 1
