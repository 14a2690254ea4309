import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from mrbench.nn.gaussian import DiagonalGaussian, GaussianEncoder, gaussian_kl, gaussian_kl_to_prior


def test_encoders_have_the_published_numbers_of_parameters(count: Callable[[nn.Module], int]) -> None:
    assert count(GaussianEncoder(1)) == 1_967_724
    assert count(GaussianEncoder(1 + 1)) == 1_967_868
    assert count(GaussianEncoder(1 + 4)) == 1_968_300


@pytest.mark.parametrize("size", [(32, 32), (17, 5), (1, 1)])
def test_encoder_gives_one_gaussian_per_image_of_any_size(size: tuple[int, int]) -> None:
    gaussian = GaussianEncoder(2, latent=3, widths=(4, 8), convolutions=2)(torch.rand(5, 2, *size))
    assert gaussian.mean.shape == gaussian.log_variance.shape == (5, 3)
    assert gaussian.sample().shape == (5, 3)


def test_encoders_side_by_side_are_one_network_of_the_same_mathematics() -> None:
    alone = [GaussianEncoder(2, latent=3, widths=(4, 8), convolutions=2) for _ in range(3)]
    grouped = GaussianEncoder(2, latent=3, widths=(4, 8), convolutions=2, groups=3)
    for parts, whole in zip(zip(*(e.parameters() for e in alone), strict=True), grouped.parameters(), strict=True):
        whole.data = torch.cat([part.data for part in parts])
    x = torch.rand(5, 3, 2, 9, 7)  # (B, G, C, H, W)
    together = grouped(x.flatten(1, 2))
    for g, encoder in enumerate(alone):
        expected = encoder(x[:, g])
        assert torch.allclose(together.mean[:, g], expected.mean, atol=1e-6)
        assert torch.allclose(together.log_variance[:, g], expected.log_variance, atol=1e-6)


def test_divergence_of_equal_gaussians_is_zero() -> None:
    q = DiagonalGaussian(torch.tensor([0.3, -2.0]), torch.tensor([0.5, -1.0]))
    assert torch.allclose(gaussian_kl(q, q), torch.zeros(2), atol=1e-7)


def test_divergence_of_a_standard_normal_from_variance_e_is_half_of_one_over_e() -> None:
    # 0.5 (1 / e + 0 - 1 + 1 - 0)
    standard = DiagonalGaussian(torch.zeros(3), torch.zeros(3))
    assert gaussian_kl_to_prior(standard, 1.0).tolist() == pytest.approx([0.5 / math.e] * 3)
    assert 0.5 / math.e == pytest.approx(0.184, abs=5e-4)


def test_divergence_from_the_standard_normal_by_hand() -> None:
    # mean 2, variance 4: 0.5 (4 + 4 - 1 - ln 4)
    q = DiagonalGaussian(torch.tensor(2.0), torch.tensor(math.log(4)))
    assert float(gaussian_kl_to_prior(q)) == pytest.approx(3.5 - math.log(2))


def test_divergence_of_two_gaussians_agrees_with_an_independent_formula() -> None:
    q, p = (DiagonalGaussian(torch.randn(50), torch.randn(50)) for _ in range(2))
    expected = kl_divergence(Normal(q.mean, q.deviation), Normal(p.mean, p.deviation))
    assert torch.allclose(gaussian_kl(q, p), expected, rtol=1e-4, atol=1e-5)


def test_draws_have_the_declared_moments() -> None:
    q = DiagonalGaussian(torch.full((20_000,), 3.0), torch.full((20_000,), math.log(0.25)))
    draw = q.sample()
    assert float(draw.mean()) == pytest.approx(3.0, abs=0.02)
    assert float(draw.std()) == pytest.approx(0.5, abs=0.02)
