"""PHiSeg: sizes, terms and sums by hand; what the prior is given; four cases by heart."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_draws import draws
from torch import nn

from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.errors import UsageError
from mrbench.interfaces.method import Batch, Method
from mrbench_phiseg.config import PHiSegConfig

CPU = torch.device("cpu")
LEVELS = range(3)


def _zeroed(method: Method) -> Method:
    for parameter in method.parameters():
        nn.init.zeros_(parameter)
    return method


def test_networks_are_as_large_as_the_release_without_what_nothing_reads(make_method: Callable[..., Method]) -> None:
    found = {
        name: sum(p.numel() for p in network.parameters())
        for name, network in make_method("phiseg", "paper").named_children()
    }
    # Raised latents that nothing reads: 3 + 2 + 1 steps of two convolutions of 64 to 64 channels with their norms
    unread = (3 + 2 + 1) * 2 * (9 * 64 * 64 + 2 * 64)
    # A second map of the mask; a second logit of the five levels' outputs, each with a bias
    second_map, second_logit = 9 * 32, 128 + 4 * 192 + 5
    released = found["prior"] + unread, found["posterior"] + unread + second_map, found["likelihood"] + second_logit
    assert [round(count / 1e6, 2) for count in released] == [6.43, 6.43, 5.85]
    assert round(sum(released) / 1e6, 2) == 18.71


def test_terms_on_a_model_whose_outputs_are_known(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    # Logits 0: ln 2 at each of 16 x 16 pixels, on every level. Images are padded to 32 x 32, so that the latents have
    # 2 x 8 x 8, 2 x 4 x 4 and 2 x 2 x 2 elements: 4^l times each is 128.
    method = _zeroed(make_method("phiseg"))
    terms = method.loss(make_batch())
    assert set(terms) == {f"{name}_{level}" for name in ("reconstruction", "kl") for level in LEVELS}
    for level in LEVELS:
        assert terms[f"reconstruction_{level}"].item() == pytest.approx(256 * math.log(2), rel=1e-6)
        assert terms[f"kl_{level}"].item() == 0
    # Posterior N(1, s^2), prior N(0, (2 s)^2) with s = softplus(0) = ln 2: ln 2 + 1 / 8 + 1 / (8 s^2) - 1 / 2 each
    for level in LEVELS:
        nn.init.ones_(method.posterior.moments[level].mean.bias)
        nn.init.constant_(method.prior.moments[level].deviation.bias, math.log(3))  # softplus(ln 3) = ln 4
    each = math.log(2) + 1 / 8 + 1 / (8 * math.log(2) ** 2) - 1 / 2
    for level in LEVELS:
        assert method.loss(make_batch())[f"kl_{level}"].item() == pytest.approx(128 * each, rel=1e-5)


def test_each_levels_logits_are_its_own_and_those_below(make_method: Callable[..., Method]) -> None:
    likelihood = _zeroed(make_method("phiseg")).likelihood
    for output, value in zip(likelihood.outputs, (1.0, 2.0, 4.0), strict=True):
        nn.init.constant_(output.bias, value)
    latents = [torch.zeros(1, 2, side, side) for side in (8, 4, 2)]
    assert [logits.unique().tolist() for logits in likelihood(latents, (32, 32))] == [[7.0], [6.0], [4.0]]


def test_the_coarsest_output_starts_from_the_background(make_method: Callable[..., Method]) -> None:
    outputs = make_method("phiseg", background_log_odds=3.0).likelihood.outputs
    assert [output.bias.item() for output in outputs] == [0, 0, -3]


@pytest.mark.parametrize("preset", ["quick", "compact"])
def test_short_trainings_start_from_equal_deviations_whatever_image_and_mask(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch], preset: str
) -> None:
    method = make_method("phiseg", preset)
    for network, channels in ((method.prior, 1), (method.posterior, 2)):
        image = 100 * torch.randn(2, channels, 32, 32)
        for found, _ in network(network.maps(image), lambda level, q: q.sample()):
            assert found.deviation.detach().numpy() == pytest.approx(math.log(2), rel=1e-5)
    # He's weights, as released: deviations of some pixels are a hundredth of others', and divergences by their square
    released = make_method("phiseg", preset, equal_deviations=False)
    network = released.prior
    levels = network(network.maps(100 * torch.randn(2, 1, 32, 32)), lambda level, p: p.sample())
    assert max(found.deviation.max() / found.deviation.min() for found, _ in levels) > 10
    first = [sum(one.loss(make_batch())[f"kl_{level}"].item() for level in LEVELS) for one in (method, released)]
    assert first[0] < first[1]


def test_the_prior_is_given_the_posteriors_latents_in_training_and_its_own_in_samples(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    method, seen = make_method("phiseg"), []
    forward = method.prior.forward

    def watched(maps, choose):
        levels = forward(maps, choose)
        seen.append([z for _, z in levels])
        return levels

    monkeypatch.setattr(method.prior, "forward", watched)
    for parameter in method.posterior.moments.parameters():
        nn.init.zeros_(parameter)
    for moments in method.posterior.moments:
        nn.init.constant_(moments.mean.bias, 50.0)
    method.loss(make_batch())
    draws(method, Image("case", np.zeros((1, 16, 16), np.float32)), 2, "samples")
    training, sampling = seen
    assert all((z.mean() - 50).abs() < 1 for z in training)
    assert all(z.mean().abs() < 20 for z in sampling)


def test_latents_are_drawn_at_every_level(make_method: Callable[..., Method]) -> None:
    method = make_method("phiseg")
    image = torch.rand(1, 1, 33, 40)
    drawn = []
    for moved in LEVELS:
        method.prior.moments[moved].mean.register_forward_hook(lambda module, x, out: drawn.append(out.shape[2:]))
    features = method.features(image)
    assert features.size == (48, 48)
    method.prior(features.maps, lambda level, p: p.mean)
    assert drawn == [(3, 3), (6, 6), (12, 12)]


def test_more_latent_levels_than_resolutions_are_refused() -> None:
    with pytest.raises(UsageError, match="at most as many latent_levels as resolutions: 5, 4"):
        PHiSegConfig.parse({"resolutions": 4}, owner="phiseg")


@pytest.mark.slow
def test_four_cases_that_the_raters_agree_on_are_learnt_by_heart_in_every_sample(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_draws: Callable[..., np.ndarray]
) -> None:
    # 32 x 32 pixels are 4 x 4 at the coarsest of four resolutions, of which the finest latents have the second.
    agreed = replace(four_cases, masks=four_cases.masks[:, 2:3].expand(-1, 4, -1, -1).contiguous())
    method = make_method("phiseg", epochs=400, batch_size=4, width=16, resolutions=4)
    fit(method, agreed, None, seed=0, device=CPU)
    assert dice_of_draws(method, 20, "samples")[..., 2].min() > 0.95
