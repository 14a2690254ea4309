import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.distributions import Dirichlet, kl_divergence

from mrbench.nn.losses import (
    batch_dice_loss,
    channel_dice_loss,
    cross_entropy,
    dirichlet_kl,
    image_dice_loss,
    log_likelihood,
    logit_channels,
    logits_to_probability,
    soft_cross_entropy,
    start_from_background,
)

Loss = Callable[[Tensor, Tensor, Tensor | None], Tensor]
LOSSES = [cross_entropy, batch_dice_loss, image_dice_loss]


def _one_of_four(logit: float) -> tuple[Tensor, Tensor]:
    # Logits of one 2 x 2 image with one rater, who marks the first pixel.
    return torch.full((1, 1, 1, 2, 2), logit), torch.tensor([[[[1, 0], [0, 0]]]])


def test_two_classes_take_one_logit_and_more_take_one_each() -> None:
    assert [logit_channels(k) for k in (2, 3, 4)] == [1, 3, 4]


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_probabilities_sum_to_one_over_the_classes(classes: int) -> None:
    probability = logits_to_probability(torch.randn(2, logit_channels(classes), 4, 4) * 30, classes)
    assert probability.shape == (2, classes, 4, 4)
    assert torch.allclose(probability.sum(1), torch.ones(2, 4, 4))


def test_one_logit_is_of_the_foreground() -> None:
    probability = logits_to_probability(torch.full((1, 1, 1, 1), math.log(3)), 2)
    assert probability.flatten().tolist() == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize(("classes", "background"), [(2, 3 / 4), (3, 3 / 5)])
def test_a_head_starts_from_the_background_at_the_given_odds(classes: int, background: float) -> None:
    head = torch.nn.Conv2d(1, logit_channels(classes), 1)
    torch.nn.init.zeros_(head.bias)  # type: ignore[arg-type]
    start_from_background(head, math.log(3))
    probability = logits_to_probability(head(torch.zeros(1, 1, 1, 1)), classes)
    assert probability[0, 0].item() == pytest.approx(background)


def test_cross_entropy_of_one_logit_by_hand() -> None:
    # Foreground probability 3/4 on one foreground and three background pixels.
    loss = cross_entropy(*_one_of_four(math.log(3)))
    assert float(loss) == pytest.approx((-math.log(0.75) - 3 * math.log(0.25)) / 4)


def test_cross_entropy_of_three_logits_by_hand() -> None:
    logits = torch.tensor([0.0, math.log(2), math.log(5)]).reshape(1, 3, 1, 1).expand(1, 3, 1, 2)
    loss = cross_entropy(logits, torch.tensor([[[1, 2]]]))
    assert float(loss) == pytest.approx((math.log(8 / 2) + math.log(8 / 5)) / 2)


def test_batch_dice_loss_by_hand() -> None:
    # Probability 1/2: foreground 2 * 0.5 / (2 + 1), background 2 * 1.5 / (2 + 3).
    assert float(batch_dice_loss(*_one_of_four(0.0))) == pytest.approx(1 - (1 / 3 + 3 / 5) / 2)


def test_batch_dice_loss_of_an_empty_batch_of_masks_counts_the_background_alone() -> None:
    logits, masks = _one_of_four(0.0)
    assert float(batch_dice_loss(logits, 0 * masks)) == pytest.approx(1 - (0 + 2 / 3) / 2)


def test_batch_dice_loss_takes_the_batch_together() -> None:
    # One mask found, one of the same size missed: Dice 2 / (1 + 2), not the mean of 1 and 0.
    logits = torch.tensor([[50.0, -50.0], [-50.0, -50.0]]).reshape(2, 1, 1, 2)
    masks = torch.tensor([[1, 0], [1, 0]]).reshape(2, 1, 2)
    assert float(batch_dice_loss(logits, masks)) == pytest.approx(1 - (2 / 3 + 4 / 5) / 2)
    assert float(image_dice_loss(logits, masks, smoothing=0)) == pytest.approx(1 - (1 + 0) / 2)


def test_image_dice_loss_by_hand() -> None:
    # (2 * 0.5 + 1) / (2 + 1 + 1)
    assert float(image_dice_loss(*_one_of_four(0.0))) == pytest.approx(0.5)


def test_image_dice_loss_of_an_empty_prediction_of_an_empty_mask_is_zero() -> None:
    logits, masks = _one_of_four(-100.0)
    assert float(image_dice_loss(logits, 0 * masks)) == pytest.approx(0)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_perfect_prediction_costs_nothing(loss: Loss, classes: int) -> None:
    masks = torch.randint(0, classes, (2, 3, 8, 8))
    one_hot = torch.nn.functional.one_hot(masks, classes).movedim(-1, 2) * 200.0 - 100
    logits = one_hot[:, :, 1:] if classes == 2 else one_hot
    assert float(loss(logits, masks, None)) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("classes", [2, 3])
def test_an_absent_rater_changes_nothing(loss: Loss, classes: int) -> None:
    logits = torch.randn(2, 3, logit_channels(classes), 4, 4, requires_grad=True)
    masks = torch.randint(0, classes, (2, 3, 4, 4))
    present = torch.tensor([[True, False, True], [False, True, True]])
    value = loss(logits, masks, present)
    assert torch.equal(
        value, loss(logits, torch.where(present[..., None, None], masks, 1 - masks.clamp_max(1)), present)
    )
    value.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert not logits.grad[~present].any()
    assert logits.grad[present].any()


@pytest.mark.parametrize("loss", [cross_entropy, image_dice_loss])
def test_where_nobody_is_present_the_loss_is_zero(loss: Loss) -> None:
    value = loss(torch.randn(1, 2, 1, 4, 4), torch.zeros(1, 2, 4, 4, dtype=torch.long), torch.zeros(1, 2).bool())
    assert float(value) == 0


def test_dirichlet_divergence_by_hand() -> None:
    # Density 2 x against 1 on [0, 1]: the integral of 2 x ln(2 x) is ln 2 - 1/2.
    assert float(dirichlet_kl(torch.tensor([2.0, 1.0]))) == pytest.approx(math.log(2) - 0.5)


def test_dirichlet_divergence_of_equal_distributions_is_zero() -> None:
    concentration = torch.rand(4, 8) + 0.1
    assert torch.allclose(dirichlet_kl(concentration, concentration), torch.zeros(4), atol=1e-5)


@pytest.mark.parametrize("prior", [1.0, 2.5])
def test_dirichlet_divergence_agrees_with_an_independent_formula(prior: float) -> None:
    concentration = torch.rand(6, 5) * 4 + 0.2
    expected = kl_divergence(Dirichlet(concentration), Dirichlet(torch.full((6, 5), prior)))
    assert torch.allclose(dirichlet_kl(concentration, prior), expected, rtol=1e-4, atol=1e-5)


def _square(side: int) -> Tensor:
    mask = torch.zeros(16, 16)
    mask[2 : 2 + side, 2 : 2 + side] = 1
    return mask


def test_the_dice_of_four_channels_has_the_released_value() -> None:
    # Logits +2 in the square of side 4, -2 outside, against raters' squares of side 2, 4, 6, 8.
    probability = (4 * _square(4) - 2).sigmoid().expand(1, 4, 16, 16)
    target = torch.stack([_square(side) for side in (2, 4, 6, 8)])[None]
    assert channel_dice_loss(probability, target).item() == pytest.approx(0.644713, abs=1e-6)


def test_a_channel_that_no_image_of_the_batch_counts_in_is_left_out_of_the_mean() -> None:
    probability, target = torch.rand(3, 2, 8, 8), torch.ones(3, 2, 8, 8)
    counted = torch.tensor([[True, False], [True, False], [False, False]])
    alone = channel_dice_loss(probability[:2, :1], target[:2, :1])
    assert channel_dice_loss(probability, target, counted).item() == pytest.approx(alone.item())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_soft_label_costs_the_mean_of_the_hard_ones_over_the_pixels_that_count(classes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, logit_channels(classes), 4, 4, generator=generator)
    masks = torch.randint(0, classes, (2, 3, 4, 4), generator=generator)
    valid = torch.rand(2, 4, 4, generator=generator) < 0.7
    shares = torch.nn.functional.one_hot(masks, classes).float().mean(dim=1).movedim(-1, 1)
    log = logits_to_probability(logits, classes).log()
    each = [-log.gather(1, masks[:, r : r + 1])[:, 0][valid].mean() for r in range(3)]
    assert soft_cross_entropy(logits, shares, valid).item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)
    assert soft_cross_entropy(logits, shares, torch.zeros_like(valid)).item() == 0


@pytest.mark.parametrize("classes", [2, 3])
def test_the_likelihood_of_a_mask_is_the_product_of_its_pixels_that_count(classes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 2, logit_channels(classes), 4, 4, generator=generator, dtype=torch.float64)
    masks = torch.randint(0, classes, (2, 4, 4), generator=generator)
    valid = torch.rand(2, 4, 4, generator=generator) < 0.7
    found = log_likelihood(logits, masks.masked_fill(~valid, 1), valid)
    assert found.shape == (5, 2)
    probability = logits_to_probability(logits, classes)
    for s in range(5):
        for b in range(2):
            each = [probability[s, b, masks[b, y, x], y, x].item() for y, x in valid[b].nonzero().tolist()]
            assert found[s, b].exp().item() == pytest.approx(math.prod(each), rel=1e-9)


def test_a_likelihood_too_small_for_a_number_is_a_logarithm() -> None:
    ones = torch.ones(1, 64, 64, dtype=torch.int64)
    assert log_likelihood(torch.full((1, 1, 64, 64), -100.0), ones, ones > 0).item() == pytest.approx(-409_600)
