import math

import pytest
import torch
from torch.distributions import Bernoulli

from mrbench.nn.likelihood import negative_log_likelihood, told_in_nats, unit_of
from mrbench.nn.losses import cross_entropy

NOISE = torch.Generator().manual_seed(3)
LOGITS = torch.randn(3, 2, 1, 5, 4, generator=NOISE, dtype=torch.float64)
MASKS = torch.randint(0, 2, (3, 2, 5, 4), generator=NOISE)
PRESENT = torch.tensor([[True, True], [False, True], [True, False]])
EACH = -Bernoulli(logits=LOGITS[:, :, 0]).log_prob(MASKS.double())  # (B, R, H, W), by another library


def test_it_is_the_present_masks_mean_of_a_sum_over_pixels() -> None:
    expected = EACH.sum(dim=(2, 3))[PRESENT].mean()
    assert negative_log_likelihood(LOGITS, MASKS, PRESENT).item() == pytest.approx(expected.item(), rel=1e-12)


def test_void_pixels_and_absent_masks_are_not_looked_at() -> None:
    valid = torch.rand(3, 5, 4, generator=NOISE) < 0.5
    expected = (EACH * valid[:, None]).sum(dim=(2, 3))[PRESENT].mean()
    masks = MASKS.masked_fill(~valid[:, None], 255).masked_fill(~PRESENT[:, :, None, None], 255)
    assert negative_log_likelihood(LOGITS, masks, PRESENT, valid).item() == pytest.approx(expected.item(), rel=1e-12)


def test_without_any_mask_it_is_0() -> None:
    assert negative_log_likelihood(LOGITS, MASKS, torch.zeros_like(PRESENT)).item() == 0


def test_it_weighs_as_many_means_over_pixels_as_there_are_pixels() -> None:
    logits = LOGITS.clone().requires_grad_()
    everybody = torch.ones_like(PRESENT)
    summed, mean = negative_log_likelihood(logits, MASKS, everybody), cross_entropy(logits, MASKS, everybody)
    assert summed.item() == pytest.approx(20 * mean.item(), rel=1e-12)
    (of_sum,), (of_mean,) = torch.autograd.grad(summed, logits), torch.autograd.grad(mean, logits)
    assert torch.allclose(of_sum, 20 * of_mean, rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_unit_of_a_sum_is_what_it_is_where_every_class_is_as_likely(classes: int) -> None:
    logits = torch.zeros(3, 2, 1 if classes == 2 else classes, 5, 4)
    summed = negative_log_likelihood(logits, MASKS, PRESENT).item()
    assert unit_of("sum", MASKS, classes) == pytest.approx(summed, rel=1e-6) == pytest.approx(20 * math.log(classes))
    assert unit_of("dice", MASKS, classes) == 1


@pytest.mark.parametrize(("counted", "expected"), [(1.0, 2 / 20), (0.5, 2 / 10), (0.0, 2 * 3)])
def test_beta_per_pixel_is_over_the_pixels_that_count_and_finite_where_none_does(
    counted: float, expected: float
) -> None:
    valid = (torch.arange(20) < 20 * counted).view(5, 4).expand(3, 5, 4)
    told = told_in_nats(torch.tensor(7.0), 2.0, valid)
    assert told["_beta_per_pixel"].item() == pytest.approx(expected)
    assert told["_kl"].item() == 7.0
