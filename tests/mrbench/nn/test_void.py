"""A loss over the pixels that count is the loss of an image without the others."""

import pytest
import torch

from mrbench.nn.bound import bound_loss
from mrbench.nn.losses import (
    batch_dice_loss,
    channel_dice_loss,
    cross_entropy,
    image_dice_loss,
    probability_dice_loss,
    weighted_mean,
)

B, R, SIDE = 3, 2, 6
LOSSES = [cross_entropy, batch_dice_loss, image_dice_loss]


@pytest.fixture(params=[2, 3])
def made(request):
    """Logits ``(B, R, L, H, W)``, masks, presence, and as many pixels that count in every image, elsewhere in each."""
    generator, classes = torch.Generator().manual_seed(request.param), request.param
    logits = torch.randn(B, R, 1 if classes == 2 else classes, SIDE, SIDE, generator=generator)
    masks = torch.randint(0, classes, (B, R, SIDE, SIDE), generator=generator)
    places = torch.stack([torch.randperm(SIDE * SIDE, generator=generator) for _ in range(B)])
    valid = (places < 20).view(B, SIDE, SIDE)
    return logits, masks, torch.tensor([[True, True], [False, True], [True, False]]), valid


def alone(values, valid):
    """``(B, ..., 1, 20)`` the pixels that count."""
    return torch.stack([one[..., own][..., None, :] for one, own in zip(values, valid, strict=True)])


@pytest.mark.parametrize("loss", LOSSES)
def test_void_pixels_are_as_if_they_were_not_there(made, loss):
    logits, masks, present, valid = made
    garbage = masks.masked_fill(~valid[:, None], 255)
    found = loss(logits, garbage, present, valid=valid)
    torch.testing.assert_close(found, loss(alone(logits, valid), alone(masks, valid), present), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_presence_it_is_the_same(made, loss):
    logits, masks, _, valid = made
    of_each = valid[:, None].expand_as(masks)
    plain = loss(alone(logits, valid), alone(masks, valid))
    torch.testing.assert_close(loss(logits, masks, valid=of_each), plain, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(loss(logits, masks, valid=valid), plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_gradient_reaches_a_void_pixel(made, loss):
    logits, masks, present, valid = made
    logits.requires_grad_()
    loss(logits, masks, present, valid=valid).backward()
    assert not logits.grad[~valid[:, None, None].expand_as(logits)].any()
    assert logits.grad[0].any()


@pytest.mark.parametrize("loss", LOSSES)
def test_an_image_without_any_pixel_that_counts_adds_nothing(made, loss):
    logits, masks, present, valid = made
    found = loss(logits.requires_grad_(), masks, present, valid=torch.zeros_like(valid))
    assert torch.isfinite(found)
    found.backward()
    assert not logits.grad.any()


def test_a_dice_of_probabilities_and_the_bound_leave_them_out_too(made):
    logits, masks, present, valid = made
    classes = max(2, logits.shape[2])
    probability = torch.rand(B, classes, SIDE, SIDE).softmax(dim=1)
    found = probability_dice_loss(probability, masks[:, 0], valid)
    torch.testing.assert_close(found, probability_dice_loss(alone(probability, valid), alone(masks[:, 0], valid)))
    target = (torch.rand(B, classes, SIDE, SIDE) < 0.5).float()
    found = channel_dice_loss(probability, target, valid=valid)
    torch.testing.assert_close(found, channel_dice_loss(alone(probability, valid), alone(target, valid)))
    samples, marked = torch.rand(B, 4, 1, SIDE, SIDE), (torch.rand(B, R, 1, SIDE, SIDE) < 0.5).float()
    found = bound_loss(samples, marked, present, valid)
    torch.testing.assert_close(found, bound_loss(alone(samples, valid), alone(marked, valid), present))


def test_a_weighted_mean_is_of_what_counts():
    values, valid = torch.arange(6.0).view(1, 2, 3), torch.tensor([[[True, False, True], [False, False, True]]])
    assert weighted_mean(values, valid) == (0 + 2 + 5) / 3
    assert weighted_mean(values, None) == 2.5
    assert weighted_mean(torch.full((1, 1, 1), 3.0), valid) == 3
    assert weighted_mean(values, torch.zeros_like(valid)) == 0
