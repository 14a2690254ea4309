"""Draws are asked for in evaluation mode and without gradients, whoever asks."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from mrbench.data.case import Image
from mrbench.engine.draws import draws_of

IMAGE = Image("case", np.zeros((1, 2, 2), np.float32))


class Told(nn.Module):
    """Gives the modes that it is called in."""

    def predict(self, image, n, context):
        for _ in range(n):
            yield self.training, torch.is_grad_enabled()


def test_every_draw_is_made_in_evaluation_mode_without_gradients():
    seen = []
    for drawn in draws_of(Told().train(), IMAGE, 3, SimpleNamespace()):
        seen.append((drawn, torch.is_grad_enabled()))
    assert seen == [((False, False), True)] * 3  # between the draws the caller's own


def test_a_prediction_of_nothing_has_no_draws():
    method = SimpleNamespace(eval=lambda: None, predict=lambda image, n, context: None)
    assert list(draws_of(method, IMAGE, 2, SimpleNamespace())) == []
