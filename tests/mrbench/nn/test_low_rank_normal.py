"""Draws of a low-rank normal have its mean and its covariance."""

import torch

from mrbench.nn.low_rank_normal import LowRankNormal


def test_draws_have_the_covariance_of_factors_and_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    factors = torch.randn(1, 2, 2, 1, 3, generator=generator)  # two logits, rank 2, three pixels
    variance = torch.tensor([0.5, 1.0, 2.0, 0.1, 0.2, 0.3]).view(1, 2, 1, 3)
    mean = torch.tensor([1.0, -1.0, 0.0, 2.0, 0.5, 3.0]).view(1, 2, 1, 3)
    n = 200_000
    noise = torch.randn(n, 1, 2, generator=generator), torch.randn(n, 1, 2, 1, 3, generator=generator)
    draws = LowRankNormal(mean, variance, factors).draws(*noise).view(n, 6)
    f = factors.movedim(2, -1).reshape(6, 2)  # rows are (logit, pixel)
    assert torch.allclose(draws.mean(dim=0), mean.flatten(), atol=0.02)
    assert torch.allclose(draws.T.cov(), f @ f.T + torch.diag(variance.flatten()), atol=0.05)


def test_a_draw_is_exactly_mean_and_factors_and_scaled_noise() -> None:
    mean, variance = torch.full((1, 1, 1, 2), 3.0), torch.tensor([4.0, 9.0]).view(1, 1, 1, 2)
    factors = torch.tensor([[1.0, 0.0], [10.0, 100.0]]).view(1, 1, 2, 1, 2)  # (factor, pixel)
    draws = LowRankNormal(mean, variance, factors).draws(
        torch.tensor([[[1.0, 2.0]]]), torch.tensor([-1.0, 1.0]).view(1, 1, 1, 1, 2)
    )
    assert draws.flatten().tolist() == [3 + 1 + 20 - 2, 3 + 200 + 3]
