import pytest
import torch
from torch import Tensor

from mrbench.nn.fcomb import Fcomb
from mrbench.nn.losses import logits_to_probability
from mrbench.nn.span import spanning


def extremes(probability: Tensor) -> Tensor:
    return torch.stack([probability.amax(dim=1), probability.amin(dim=1)])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("samples", [1, 2, 10])
def test_largest_and_least_and_their_gradients_are_those_of_all_samples(classes: int, samples: int) -> None:
    head = Fcomb(5, 3, 1 if classes == 2 else classes)
    maps, vectors = torch.randn(2, 5, 6, 4, requires_grad=True), torch.randn(2, samples, 3, requires_grad=True)
    every = extremes(logits_to_probability(head(maps, vectors), classes)[:, :, 1:])
    found = extremes(spanning(head, maps, vectors, classes))
    torch.testing.assert_close(found, every)
    towards = torch.randn(found.shape)
    inputs = [maps, vectors, *head.parameters()]
    gradients = [torch.autograd.grad((each * towards).sum(), inputs) for each in (found, every)]
    for own, other in zip(*gradients, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-5)


def test_two_classes_keep_two_samples_of_many() -> None:
    assert spanning(Fcomb(4, 2, 1), torch.randn(3, 4, 8, 8), torch.randn(3, 10, 2), 2).shape == (3, 2, 1, 8, 8)


def test_a_vector_can_be_chosen_for_every_pixel() -> None:
    head, maps, vectors = Fcomb(4, 2, 3), torch.randn(2, 4, 5, 7), torch.randn(2, 6, 2)
    choice = torch.randint(0, 6, (2, 3, 5, 7))
    every = head(maps, vectors)  # (B, S, outputs, H, W)
    expected = every.gather(1, choice[:, :, None].expand(-1, -1, 3, -1, -1))
    torch.testing.assert_close(head.chosen(maps, vectors, choice), expected)
