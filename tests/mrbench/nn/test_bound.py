import pytest
import torch

from mrbench.nn.bound import bound_loss


def _square(side: int) -> torch.Tensor:
    mask = torch.zeros(16, 16)
    mask[2 : 2 + side, 2 : 2 + side] = 1
    return mask


MASKS = torch.stack([_square(side) for side in (2, 4, 6, 8)])[None, :, None]  # (1, R, F, H, W)
ALL = torch.ones(1, 4, dtype=torch.bool)


def test_it_has_the_released_value_on_squares() -> None:
    # Largest logits +2 in the square of side 7, least in that of side 3, -2 elsewhere; raters' sides 2, 4, 6, 8.
    samples = torch.stack([(4 * _square(side) - 2).sigmoid() for side in (7, 3)])[None, :, None]
    assert bound_loss(samples, MASKS, ALL).item() == pytest.approx(0.573901, abs=1e-6)


def test_samples_that_span_what_the_raters_span_cost_nothing() -> None:
    assert bound_loss(MASKS[:, [3, 0, 1]], MASKS, ALL).item() == pytest.approx(0)


def test_an_absent_rater_moves_neither_union_nor_intersection() -> None:
    samples, present = MASKS[:, 1:3], torch.tensor([[False, True, True, False]])
    assert bound_loss(samples, MASKS, present).item() == pytest.approx(0)
    assert bound_loss(samples, MASKS, ALL).item() > 0.3
