import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method

CPU = torch.device("cpu")


def test_parameter_counts_are_the_released_ports(make_method: Callable[..., Method]) -> None:
    method = make_method("pionono", "as_released", tiny=False)
    count = {name: sum(p.numel() for p in network.parameters()) for name, network in method.named_children()}
    assert count["head"] == 689
    assert count["backbone"] == 24_429_952
    assert count["gaussians"] == 4 * (8 + 64)  # the port counts as many again for its fixed prior
    assert sum(count.values()) == 24_431_217 - 288


def test_raters_start_with_the_declared_deviation_and_no_correlation(make_method: Callable[..., Method]) -> None:
    factor = make_method("pionono").gaussians.factor()
    assert torch.allclose(factor, 2 * torch.eye(8).expand(4, 8, 8), atol=1e-5)


def test_divergence_agrees_with_an_independent_formula(make_method: Callable[..., Method]) -> None:
    gaussians = make_method("pionono").gaussians
    torch.nn.init.normal_(gaussians.entries)
    prior = MultivariateNormal(torch.zeros(8), 4 * torch.eye(8))
    raters = zip(gaussians.mean, gaussians.factor(), strict=True)
    expected = [kl_divergence(MultivariateNormal(mean, scale_tril=factor), prior) for mean, factor in raters]
    assert torch.allclose(gaussians.kl(), torch.stack(expected), rtol=1e-4)


def test_draws_have_the_raters_mean_and_covariance(make_method: Callable[..., Method]) -> None:
    gaussians = make_method("pionono").gaussians
    torch.nn.init.normal_(gaussians.entries)
    z = gaussians.draw(torch.tensor([2]), torch.randn(1, 40_000, 8))[0]
    factor = gaussians.factor()[2]
    assert torch.allclose(z.mean(dim=0), gaussians.mean[2], atol=0.1)
    assert torch.allclose(z.T.cov(), factor @ factor.T, atol=0.3)


def test_terms_on_a_model_whose_outputs_are_known(make_method: Callable[..., Method], make_batch: Callable[..., Batch]):
    method, batch = make_method("pionono", "paper"), make_batch()
    for network in (method.backbone, method.head):
        for parameter in network.parameters():
            torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(method.gaussians.mean, 3.0)
    terms = method.loss(replace(batch, masks=torch.zeros_like(batch.masks)))
    assert terms["segmentation"].item() == pytest.approx(1 - (2 / 3) / 2, rel=1e-6)
    assert terms["kl"].item() == pytest.approx(5e-4 * 8 * 9 / (2 * 4), rel=1e-4)  # equal covariances, means 3 apart
    assert terms["norm"].item() == 0


def test_a_diagonal_below_zero_cannot_come_about(make_method: Callable[..., Method]) -> None:
    gaussians = make_method("pionono").gaussians
    torch.nn.init.constant_(gaussians.entries, -30.0)
    assert (gaussians.factor().diagonal(dim1=1, dim2=2) > 0).all()
    assert math.isfinite(gaussians.kl().sum().item())


@pytest.mark.parametrize("rater_draws", [0, 20])
def test_four_cases_are_learnt_by_heart_for_every_rater(
    rater_draws: int,
    make_method: Callable[..., Method],
    four_cases: Slices,
    dice_of_own: Callable[..., np.ndarray],
) -> None:
    method = make_method("pionono", epochs=120, batch_size=4, rater_draws=rater_draws)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_own(method).min() > 0.95


def test_each_of_its_presets_is_one_source_whole(make_method: Callable[..., Method]) -> None:
    # Authors' repository (a542ded, config.yaml and model_handler.py) and the port in the D-Persona release.
    expected = {"paper": (3, "late-decay", 0), "as_released": (12, "cosine", 20)}
    for preset, facts in expected.items():
        method = make_method("pionono", preset, tiny=False)
        (stage,) = method.stages()
        assert (stage.batch_size, stage.schedule, method.config.rater_draws) == facts
        assert (stage.epochs, stage.patience) == (100, None)
        rates = {group.learning_rate: len(group.parameters) for group in stage.groups}
        assert rates[0.02] == 2
        assert set(rates) == {1e-4, 0.02}
