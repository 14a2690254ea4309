"""Networks whose time goes into convolutions: float32 leaves them whatever they computed in."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mrbench.nn.convolutional import Convolutional, channels_last, convolutions_in_bf16
from mrbench.nn.gaussian import GaussianEncoder
from mrbench.nn.unet import UNet


class Seen(Convolutional):
    """A convolution that keeps what went in and came out."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.layer = nn.Conv2d(channels, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolved(self._layers, x)

    def _layers(self, x: Tensor) -> Tensor:
        self.inside = self.layer(x)
        return self.inside


class Means(GaussianEncoder):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).mean


@pytest.mark.parametrize("channels", [1, 3])
def test_a_pixels_channels_lie_side_by_side_through_the_network(channels: int) -> None:
    network, x = Seen(channels), torch.rand(2, channels, 6, 5)
    assert torch.equal(channels_last(x), x)
    out = network(x)
    assert network.inside.is_contiguous(memory_format=torch.channels_last)
    assert out.is_contiguous()
    torch.testing.assert_close(out, network.layer(x))


def test_a_network_that_gains_nothing_keeps_its_format() -> None:
    network = Seen()
    network.memory_format = torch.contiguous_format
    for chosen in (False, True):
        with convolutions_in_bf16(chosen):
            network(torch.rand(2, 1, 6, 5))
        assert network.inside.is_contiguous()


def test_channels_side_by_side_have_the_gradient_of_the_others() -> None:
    for channels in (1, 3):
        x = torch.rand(2, channels, 6, 5, requires_grad=True)
        towards = torch.rand(2, channels, 6, 5)
        (channels_last(x) * towards).sum().backward()
        assert torch.equal(x.grad, towards)


def test_bf16_is_chosen_for_a_while_and_in_parts_not() -> None:
    network, x = Seen(), torch.rand(2, 1, 6, 5)
    found = []
    with convolutions_in_bf16():
        found += [(network(x).dtype, network.inside.dtype)]
        with convolutions_in_bf16(chosen=False):
            found += [(network(x).dtype, network.inside.dtype)]
        found += [(network(x).dtype, network.inside.dtype)]
    found += [(network(x).dtype, network.inside.dtype)]
    low, full = (torch.float32, torch.bfloat16), (torch.float32, torch.float32)
    assert found == [low, full, low, full]


def test_a_failure_ends_bf16() -> None:
    network = Seen()
    with pytest.raises(ZeroDivisionError), convolutions_in_bf16():
        raise ZeroDivisionError
    network(torch.rand(1, 1, 4, 4))
    assert network.inside.dtype == torch.float32


@pytest.mark.parametrize(
    "build",
    [lambda: UNet(1, width=8, depth=3), lambda: Means(1, widths=(8, 16))],
    ids=["features", "encoder"],
)
def test_bf16_is_near_float32_with_gradients_in_float32(build: Callable[[], nn.Module]) -> None:
    x = torch.rand(4, 1, 16, 16, requires_grad=True)
    found = []
    for chosen in (False, True):
        torch.manual_seed(0)
        with convolutions_in_bf16(chosen):
            found.append(build()(x))
    full, low = found
    assert low.dtype == torch.float32
    assert not torch.equal(full, low)
    assert torch.linalg.vector_norm(full - low) < 0.02 * torch.linalg.vector_norm(full)
    gradient = torch.autograd.grad(low.square().sum(), x)[0]
    assert gradient.dtype == torch.float32
    assert gradient.isfinite().all()
