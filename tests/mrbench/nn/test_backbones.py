import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from mrbench.errors import UsageError
from mrbench.nn.backbone import Backbone, build_backbone
from mrbench.nn.resnet_unet import ResNet34, ResNetUNet
from mrbench.nn.unet import UNet

Count = Callable[[nn.Module], int]


def test_resnet_unet_has_the_published_number_of_parameters(count: Count) -> None:
    assert count(ResNetUNet(1)) == 24_429_952
    assert count(ResNetUNet(3)) == 24_429_952 + 2 * 64 * 7 * 7


def test_resnet_encoder_has_the_usual_number_of_parameters_without_its_classifier(count: Count) -> None:
    assert count(ResNet34(3)) == 21_797_672 - (512 * 1000 + 1000)


def test_resnet_encoder_halves_the_resolution_five_times() -> None:
    maps = ResNet34(1).eval()(torch.zeros(1, 1, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (64, 32, 48),
        (64, 16, 24),
        (128, 8, 12),
        (256, 4, 6),
        (512, 2, 3),
    ]


@pytest.mark.parametrize("size", [(64, 64), (33, 47), (1, 5)])
@pytest.mark.parametrize("name", ["unet", "resnet34", "mit-b2"])
def test_maps_are_as_large_as_the_image_whatever_its_size(name: str, size: tuple[int, int]) -> None:
    network = build_backbone(Backbone.parse({"name": name}, owner="test"), 3).eval()
    with torch.no_grad():
        assert network(torch.rand(2, 3, *size)).shape == (2, network.out_channels, *size)
    assert network.out_channels == 16


@pytest.mark.parametrize("name", ["unet", "resnet34", "mit-b2"])
def test_a_batch_of_one_small_image_can_be_trained_on(name: str) -> None:
    network = build_backbone(Backbone.parse({"name": name}, owner="test"), 1).train()
    network(torch.rand(1, 1, 8, 8)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_unet_maps_of_an_image_do_not_depend_on_its_batch_in_prediction() -> None:
    network = UNet(1, width=8).eval()
    images = torch.rand(3, 1, 24, 24)
    assert torch.allclose(network(images)[:1], network(images[:1]), atol=1e-5)


def test_unet_width_and_depth_are_free() -> None:
    for width, depth in ((5, 2), (8, 5)):
        assert UNet(1, width=width, depth=depth)(torch.zeros(1, 1, 20, 20)).shape == (1, 16, 20, 20)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    state = ResNet34(3).state_dict() | {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    torch.save(state, tmp_path / "resnet34.pt")
    return tmp_path / "resnet34.pt"


def _first_convolution(weights: Path, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    network = build_backbone(Backbone(weights=weights), channels)
    assert isinstance(network, ResNetUNet)
    return network.encoder.conv1.weight, torch.load(weights, weights_only=True)["conv1.weight"]


def test_pretrained_weights_are_summed_over_rgb_for_one_channel(weights: Path) -> None:
    own, rgb = _first_convolution(weights, 1)
    assert torch.equal(own[:, 0], rgb.sum(1))


def test_pretrained_weights_are_kept_for_three_channels(weights: Path) -> None:
    own, rgb = _first_convolution(weights, 3)
    assert torch.equal(own, rgb)


def test_pretrained_weights_are_repeated_and_rescaled_for_other_channel_counts(weights: Path) -> None:
    own, rgb = _first_convolution(weights, 4)
    assert torch.allclose(own, rgb[:, [0, 1, 2, 0]] * 3 / 4)


def test_pretrained_weights_without_batch_counters_are_taken(weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    torch.save({k: v for k, v in state.items() if "num_batches" not in k}, weights)
    build_backbone(Backbone(weights=weights), 1)


def test_weights_of_another_network_are_refused_with_the_first_mismatch(weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    state["layer1.0.conv1.weight"] = torch.zeros(64, 64, 1, 1)
    del state["bn1.bias"]
    torch.save(state, weights)
    with pytest.raises(UsageError, match="does not fit ResNet-34") as caught:
        build_backbone(Backbone(weights=weights), 1)
    assert "layer1.0.conv1.weight of shape (64, 64, 3, 3)" in caught.value.expected
    assert "missing bn1.bias" in caught.value.found


def test_a_missing_or_foreign_weights_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no weights file"):
        build_backbone(Backbone(weights=tmp_path / "absent.pt"), 1)
    (tmp_path / "text.pt").write_text("not weights")
    with pytest.raises(UsageError, match="cannot be read"):
        build_backbone(Backbone(weights=tmp_path / "text.pt"), 1)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(UsageError, match="holds no weights"):
        build_backbone(Backbone(weights=tmp_path / "list.pt"), 1)


def test_weights_for_the_plain_unet_are_refused(weights: Path) -> None:
    with pytest.raises(UsageError, match="needs the backbone resnet34"):
        build_backbone(Backbone(name="unet", weights=weights), 1)


def test_choosing_a_backbone_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, mrbench.nn.backbone; print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
