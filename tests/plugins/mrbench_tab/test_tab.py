from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import restated_tab as restated
import torch
from torch import nn
from torch.nn import functional

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.errors import UsageError
from mrbench.interfaces.method import Method
from mrbench.nn.low_rank_normal import LowRankNormal
from mrbench.nn.resnet_unet import ResNet34
from mrbench_tab.method import _answering, _drawn
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
    normal = _answering(LowRankNormal(mean, variance, factors), [0] * 50_000)
    draws = _drawn(normal)[0, :, 0, 0]  # (n, 3)
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


@pytest.fixture
def released(make_method: Callable[..., Method]) -> nn.Module:
    """The network of the preset as_released in double precision, its weights and statistics away from their start."""
    network = make_method("tab", "as_released", raters=3, channels=3, tiny=False).network.double().eval()
    for name, value in network.state_dict().items():
        if name.endswith(("bias", "running_mean")):
            value.normal_(0, 0.1)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return network


@torch.no_grad()
def test_the_released_network_said_again_gives_the_same_outputs_from_the_same_weights(released: nn.Module) -> None:
    images = torch.rand(2, 3, 64, 96, dtype=torch.float64)
    found = released.features(images)  # (B, Q outputs, H, W)
    expected = torch.stack([restated.outputs(released, image) for image in images]).flatten(1, 2)
    assert found.std() > 0.1
    assert torch.allclose(found, expected, rtol=1e-6, atol=1e-6)  # positions are computed in single precision


@torch.no_grad()
def test_the_attention_maps_are_the_releases_and_sum_to_one_over_heads_and_places(released: nn.Module) -> None:
    projected = torch.randn(1, 256, 2, 3, dtype=torch.float64)
    found = released._attend(projected)
    assert torch.allclose(found[0], restated.maps_of_queries(released, projected[0]), atol=1e-6)
    assert torch.allclose(found.sum(dim=(2, 3, 4)), torch.ones(1, 4, dtype=torch.float64))


@torch.no_grad()
def test_scaled_attention_maps_are_the_released_ones_times_heads_and_places(make_method: Callable[..., Method]) -> None:
    plain = make_method("tab", "as_released", tiny=False).network.eval()
    scaled = make_method("tab", "as_released", tiny=False, attention_scale="mean1").network.eval()
    scaled.load_state_dict(plain.state_dict())
    projected = torch.randn(2, 256, 2, 3)
    assert torch.allclose(scaled._attend(projected), 8 * 2 * 3 * plain._attend(projected))
    assert torch.allclose(scaled._attend(projected).mean(dim=(2, 3, 4)), torch.ones(2, 5), atol=1e-5)


@torch.no_grad()
def test_the_mask_head_sees_the_transformer_through_the_attention_maps_alone(released: nn.Module) -> None:
    images = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    before = released.features(images).unflatten(1, (4, -1))
    released.maps.query.weight.zero_()  # every map is flat now, whatever the transformer finds
    released.maps.query.bias.zero_()
    after = released.features(images).unflatten(1, (4, -1))
    assert torch.allclose(after, after[:, :1].expand_as(after))
    assert not torch.allclose(before, before[:, :1].expand_as(before))


def test_the_released_preset_has_the_releases_schedule_and_keeps_its_last_weights(
    make_method: Callable[..., Method],
) -> None:
    (stage,) = make_method("tab", "as_released").stages()
    assert (stage.schedule, stage.epochs, stage.batch_size) == ("polynomial", 300, 8)
    assert (stage.patience, stage.keep) == (None, "last")
    assert [group.learning_rate for group in stage.groups] == [5e-5]


@torch.no_grad()
def test_a_sample_at_variance_zero_has_the_least_expected_loss() -> None:
    # Of all spreads around one mean the published loss likes none best: why its samples collapse.
    torch.manual_seed(0)
    logit, mask = torch.tensor(0.8), torch.tensor([0.0, 1.0])
    expected = [
        functional.binary_cross_entropy_with_logits(
            (logit + s * torch.randn(20_000, 1)).expand(-1, 2), mask.expand(20_000, 2)
        )
        for s in (0.0, 0.3, 1.0, 3.0)
    ]
    assert expected == sorted(expected)


def test_imagenet_weights_of_a_file_are_taken_and_refused_for_the_small_encoder(
    make_method: Callable[..., Method], tmp_path: Path
) -> None:
    path = tmp_path / "resnet34.pt"
    state = ResNet34(3).state_dict()
    torch.save(state, path)
    network = make_method("tab", "paper", channels=3, tiny=False, backbone={"weights": path}).network
    assert torch.equal(network.encoder.conv1.weight, state["conv1.weight"])
    with pytest.raises(UsageError, match=r"backbone\.weights"):
        make_method("tab", backbone={"weights": path})
