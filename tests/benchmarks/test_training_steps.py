"""Training steps of the learned methods beside the released ones: the same loss, the same gradient.

How long they take: make training-ratios
"""

import pytest
import torch
from training_steps import PAIRS, SAMPLED, both, both_sampled


@pytest.mark.parametrize("name", PAIRS)
def test_a_step_has_the_loss_and_the_gradient_of_the_released_one(name: str):
    ours, theirs = both(PAIRS[name], 2, 64)
    torch.manual_seed(1)
    own = ours.step()
    torch.manual_seed(1)
    torch.testing.assert_close(own, theirs.step(), rtol=1e-5, atol=0)
    mine, released = (length(each) for each in (ours.loop.parameters, theirs.method.trained()))
    torch.testing.assert_close(mine, released, rtol=2e-3, atol=0)


@pytest.mark.parametrize("name", SAMPLED)
def test_samples_have_the_mean_of_the_released_ones(name: str):
    torch.manual_seed(1)
    own, released = (side.step() for side in both_sampled(name, 40, 64))
    assert own.shape == released.shape == (40, 64, 64)
    error = ((own.var(0) + released.var(0)) / 40) ** 0.5
    assert abs(own.mean(0) - released.mean(0)).mean() < 4 * error.mean()


def length(parameters: list[torch.nn.Parameter]) -> torch.Tensor:
    return torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None]).float()
