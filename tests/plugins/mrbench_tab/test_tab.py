from collections.abc import Callable

import numpy as np
import pytest
import torch

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Method
from mrbench_tab.method import LowRankNormal
from mrbench_tab.network import sine_position

CPU = torch.device("cpu")


def test_it_has_as_many_parameters_as_the_release(make_method: Callable[..., Method]) -> None:
    network = make_method("tab", "paper", channels=3, tiny=False).network
    norms = [m for m in network.encoder.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    constant_in_the_release = sum(p.numel() for norm in norms for p in norm.parameters())
    assert sum(p.numel() for p in network.parameters()) - constant_in_the_release == 23_480_393


def test_positions_are_sines_and_cosines_of_the_row_then_of_the_column() -> None:
    position = sine_position(2, 4, 8).view(2, 4, 8)
    assert torch.allclose(position[0, :, 0], torch.zeros(4), atol=1e-6)  # sin of half a turn, first row
    assert torch.allclose(position[:, 0, 4], torch.ones(2), atol=1e-6)  # sin of a quarter turn, first column
    assert torch.allclose(position[..., ::2] ** 2 + position[..., 1::2] ** 2, torch.ones(2, 4, 4), atol=1e-5)


def test_draws_have_the_low_rank_covariance() -> None:
    torch.manual_seed(0)
    factors = torch.randn(1, 1, 1, 2, 1, 3)  # rank 2, three pixels
    variance = torch.tensor([0.5, 1.0, 2.0]).view(1, 1, 1, 1, 3)
    mean = torch.tensor([1.0, -1.0, 0.0]).view(1, 1, 1, 1, 3)
    normal = LowRankNormal(mean, variance, factors).times(50_000)
    draws = normal.sample()[0, :, 0, 0]  # (n, 3)
    f = factors[0, 0, 0, :, 0]  # (2, 3)
    assert torch.allclose(draws.mean(dim=0), mean.flatten(), atol=0.05)
    assert torch.allclose(draws.T.cov(), f.T @ f + torch.diag(variance.flatten()), atol=0.15)


@pytest.mark.parametrize("layout", ["permuted", "legacy"])
def test_a_pixels_factors_are_its_own_channels_unless_as_released(
    layout: str, make_method: Callable[..., Method]
) -> None:
    method = make_method("tab", rank=2, factor_layout=layout)
    maps = torch.arange(5 * 2 * 2 * 3).view(1, 5, 2, 2, 3).float()  # (B, Q, L N, H, W)
    factors = method._factors(maps)[0, 0, 0]  # (N, H, W) of the first query
    if layout == "permuted":
        assert factors[:, 1, 0].tolist() == [3, 6 + 3]  # pixel 3 of channel 0 and of channel 1
    else:
        assert factors[:, 1, 0].tolist() == [2 * 3, 2 * 3 + 1]  # values 6 and 7 of the flattened maps


def test_four_cases_are_learnt_by_heart_for_every_rater(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_own: Callable[..., np.ndarray]
) -> None:
    method = make_method("tab", epochs=800, batch_size=4)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_own(method).min() > 0.95
