"""Stochastic segmentation networks: the loss of an image by hand and in float64, the draws, four cases by heart."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method

CPU = torch.device("cpu")


def _loss(method: Method, batch: Batch, logits: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(method, "_draws", lambda normal: logits)
    (term,) = method.loss(batch).values()
    return term.item()


def test_it_has_three_linear_maps_on_the_shared_features(make_method: Callable[..., Method]) -> None:
    # 16 maps to one mean, one log variance and ten factors, each with a bias
    count = sum(p.numel() for p in make_method("ssn", "paper", tiny=False).parameters())
    assert count == 24_429_952 + 12 * 17


def test_the_likelihood_is_of_the_image_and_its_mean_is_taken_over_the_draws(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two draws of logits 0 and 1 at 256 pixels, half of them marked: log likelihoods -256 ln 2 and
    # -128 (ln(1 + e^-1) + ln(1 + e)) = -256 ln 2 - 128 * 0.2402...; the mean of the two is e^(-256 ln 2) / 2 to 1e-13.
    method, batch = make_method("ssn", draws=2), make_batch(1)
    batch.masks[:] = torch.tensor([0, 1]).repeat(8)
    logits = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1, 1).expand(2, 1, 1, 16, 16)
    assert _loss(method, batch, logits, monkeypatch) == pytest.approx(256 * math.log(2) + math.log(2), rel=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_loss_is_that_of_plain_float64(
    classes: int, make_method: Callable[..., Method], make_batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    channels = 1 if classes == 2 else classes
    batch = make_batch(2, raters=2, classes=classes)
    batch.masks[:, 1] = batch.masks[:, 0]  # whoever is drawn
    logits = torch.randn(4, 2, channels, 16, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = _loss(make_method("ssn", raters=2, classes=classes), batch, logits, monkeypatch)
    images = []
    for b in range(2):
        total = []
        for draw in logits[:, b].numpy():
            scores = np.stack([np.zeros((16, 16)), draw[0]]) if classes == 2 else draw
            normalised = scores - np.log(np.exp(scores).sum(axis=0))
            total.append(np.take_along_axis(normalised, batch.masks[b, :1].numpy(), axis=0).sum())
        top = max(total)
        images.append(top + math.log(sum(math.exp(value - top) for value in total)))
    # make_method's configuration divides by its own number of draws, 20
    assert found == pytest.approx(math.log(20) - np.mean(images), rel=1e-9)


def test_mirrored_draws_have_the_mean_exactly_and_the_others_not(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    for preset, mirrored in (("as_released", True), ("paper", False)):
        method = make_method("ssn", preset)
        normal = method.features(make_batch(2).image)
        draws = method._draws(normal)
        assert draws.shape == (20, 2, 1, 16, 16)
        assert torch.allclose(draws.mean(dim=0), normal.mean, atol=1e-5) is mirrored


def test_variance_is_the_exponential_and_never_zero(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method = make_method("ssn")
    torch.nn.init.zeros_(method.log_variance.weight)
    torch.nn.init.constant_(method.log_variance.bias, math.log(0.25))
    assert torch.allclose(method.features(make_batch().image).variance, torch.tensor(0.25 + 1e-5))
    torch.nn.init.constant_(method.log_variance.bias, -200.0)
    assert method.features(make_batch().image).variance.min().item() == pytest.approx(1e-5)


def test_samples_come_to_span_what_four_raters_drew(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_nearest: Callable[..., np.ndarray]
) -> None:
    method = make_method("ssn", epochs=500, batch_size=4)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_nearest(method).min() > 0.95
