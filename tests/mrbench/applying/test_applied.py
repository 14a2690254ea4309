"""Masks and maps of a method whose answer is known, and of several of its trainings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import mrbench
from mrbench.applying.applied import apply, ensemble_of
from mrbench.applying.windows import Windows
from mrbench.cards import MethodCard
from mrbench.engine.draws import Source
from mrbench.engine.model import Model

DESCRIPTION = mrbench.Description(
    name="x", version="1", classes=("no", "yes"), channels=("grey",), raters=mrbench.Raters.IDENTIFIED,
    rater_names=("a", "b"), normalisation="byte",
)  # fmt: skip
WHOLE = Windows((4, 6), (4, 6), (4, 6), [(0, 0)])
IMAGE = np.random.default_rng(0).integers(0, 255, (1, 4, 6), np.uint8)


class Known(mrbench.Method):
    """Sample s is the image times ``level`` where s is even, nothing else; rater r the image over r + 1."""

    def __init__(self, level: float, description: mrbench.Description) -> None:
        super().__init__(None, description)
        self.level = level

    def _soft(self, foreground: torch.Tensor) -> mrbench.Probabilities:
        return mrbench.Probabilities(torch.stack([1 - foreground, foreground], dim=2)[:, :, :, 0])

    def sample(self, features: Any, noise: Any) -> mrbench.Probabilities:
        even = torch.tensor([float(number % 2 == 0) for number in noise.rows.draws])
        return self._soft(self.level * even[:, None, None, None, None] * features)

    def as_rater(self, features: Any, rater: int, noise: Any) -> mrbench.Probabilities:
        return self._soft(features[None] / (rater + 1))

    def consensus(self, features: Any, noise: Any) -> mrbench.Probabilities:
        return self._soft(self.level * features[None])


def model(gives: str = "samples raters", level: float = 1.0) -> Model:
    card = MethodCard(name="known", code=f"{__name__}:Known", gives=gives)
    source = Source(Known(level, DESCRIPTION), card, 0, torch.device("cpu"))
    return Model(None, DESCRIPTION, source)  # type: ignore[arg-type]


def test_maps_are_mean_and_variance_of_the_samples_probabilities():
    image = IMAGE[0] / 255
    found = apply(model(), IMAGE, WHOLE, "a", 4)
    assert found.over == "samples"
    assert np.allclose(found.mean, image[None] / 2, atol=1e-6)
    assert np.allclose(found.variance, image[None] ** 2 / 4, atol=1e-6)
    for number, mask in enumerate(found.masks["samples"]):
        assert mask.labels.dtype == np.uint8
        assert np.array_equal(mask.labels, (image > 0.5) & (number % 2 == 0))
    first, second = found.masks["raters"]
    assert (first.rater, second.rater) == (0, 1)
    assert np.array_equal(first.labels, image > 0.5)
    assert not second.labels.any()


def test_without_samples_maps_are_over_what_there_is():
    image = IMAGE[0] / 255
    consensus = apply(model("raters consensus"), IMAGE, WHOLE, "a", 4)
    assert (consensus.over, set(consensus.masks)) == ("consensus", {"raters", "consensus"})
    assert np.allclose(consensus.mean[0], image, atol=1e-6)
    assert not consensus.variance.any()
    raters = apply(model("raters"), IMAGE, WHOLE, "a", 4)
    assert raters.over == "raters"
    assert np.allclose(raters.mean[0], image * 0.75, atol=1e-6)
    assert np.allclose(raters.variance[0], (image / 4) ** 2, atol=1e-6)


def test_sample_i_of_an_ensemble_is_of_training_i_mod_their_number_and_consensus_is_the_mean():
    image = IMAGE[0] / 255
    both = ensemble_of([model(level=1.0), model(level=0.5)])
    found = apply(both, IMAGE, WHOLE, "a", 4)
    assert np.allclose(found.mean[0], image / 2, atol=1e-6), "samples 0 and 2 are of the first one"
    mean = apply(ensemble_of([model("consensus", 1.0), model("consensus", 0.5)]), IMAGE, WHOLE, "a", 4)
    assert np.allclose(mean.mean[0], image * 0.75, atol=1e-6)
    alone = model()
    assert ensemble_of([alone]) is alone


@pytest.mark.parametrize("corners", [[(0, 0), (0, 2), (0, 3)], [(0, 3), (0, 0)]])
def test_a_pointwise_method_predicts_the_same_in_windows_as_whole(corners: list[tuple[int, int]]):
    whole, tiled = (apply(model(), IMAGE, w, "a", 2) for w in (WHOLE, Windows((4, 6), (4, 6), (4, 3), corners)))
    assert np.allclose(tiled.mean, whole.mean, atol=1e-6)
    assert np.allclose(tiled.variance, whole.variance, atol=1e-6)


def test_an_image_that_is_resampled_comes_back_on_its_own_grid():
    flat = np.full((1, 4, 6), 204, np.uint8)
    found = apply(model(), flat, replace(WHOLE, seen=(2, 12), size=(2, 12)), "a", 1)
    assert found.mean.shape == (1, 4, 6)
    assert np.allclose(found.mean, 0.8, atol=1e-6)
    assert found.masks["samples"][0].labels.all()
