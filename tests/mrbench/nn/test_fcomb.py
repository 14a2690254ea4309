from collections.abc import Callable

import pytest
import torch
from torch import nn

from mrbench.nn.fcomb import Fcomb, norm_penalty


def test_fcomb_has_the_published_number_of_parameters(count: Callable[[nn.Module], int]) -> None:
    assert count(Fcomb(16, 6, 1)) == 929
    assert count(Fcomb(16, 8, 1, layers=3)) == 689


def test_additive_first_layer_equals_convolving_the_concatenation() -> None:
    head = Fcomb(5, 3, 2, hidden=7, layers=3)
    maps, vectors = torch.randn(2, 5, 4, 6), torch.randn(2, 9, 3)
    tiled = vectors[..., None, None].expand(-1, -1, -1, 4, 6)  # (B, S, vector, H, W)
    joined = torch.cat([maps[:, None].expand(-1, 9, -1, -1, -1), tiled], dim=2).flatten(0, 1)
    first, *rest = head.convolutions
    x = first(joined)
    for convolution in rest:
        x = convolution(torch.relu(x))
    assert torch.allclose(head(maps, vectors), x.reshape(2, 9, 2, 4, 6), atol=1e-5)


def test_a_sample_does_not_depend_on_the_others() -> None:
    head = Fcomb(4, 2, 1)
    maps, vectors = torch.randn(1, 4, 8, 8), torch.randn(1, 5, 2)
    assert torch.allclose(head(maps, vectors)[:, 2:3], head(maps, vectors[:, 2:3]), atol=1e-6)


def test_head_without_a_vector_reads_the_maps_alone() -> None:
    assert Fcomb(4, 0, 3)(torch.randn(2, 4, 8, 8), torch.empty(2, 1, 0)).shape == (2, 1, 3, 8, 8)


def test_xavier_start_has_zero_biases() -> None:
    assert all(not c.bias.any() for c in Fcomb(4, 2, 1, initial="xavier").convolutions)  # type: ignore[operator]


def test_norm_penalty_sums_norms_of_all_layers_but_the_last() -> None:
    head = Fcomb(1, 1, 1, hidden=2, layers=2)
    with torch.no_grad():
        head.convolutions[0].weight.copy_(torch.tensor([[3.0, 0.0], [0.0, 4.0]])[..., None, None])  # type: ignore[operator]
        head.convolutions[0].bias.copy_(torch.tensor([0.0, 2.0]))  # type: ignore[operator]
    assert norm_penalty(head.inner_parameters()).item() == pytest.approx(5 + 2)


def test_norm_penalty_of_a_zero_bias_has_a_finite_gradient() -> None:
    head = Fcomb(2, 1, 1, initial="xavier")
    norm_penalty(head.inner_parameters()).backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad.isfinite().all() for parameter in head.inner_parameters() if parameter.grad is not None)
