import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method

CPU = torch.device("cpu")


def _count(method: Method) -> int:
    return sum(p.numel() for p in method.parameters())


def _zeroed(method: Method) -> Method:
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    return method


def test_it_has_as_many_parameters_as_the_released_baseline(make_method: Callable[..., Method]) -> None:
    # ResNet-34 U-Net, prior of one channel, posterior of image and one mask, head
    assert _count(make_method("prob-unet", "paper", tiny=False)) == 24_429_952 + 1_967_724 + 1_967_868 + 929
    assert _count(make_method("prob-unet", "paper", tiny=False)) == 28_366_473


def test_terms_on_a_model_whose_outputs_are_known(make_method: Callable[..., Method], make_batch: Callable[..., Batch]):
    # Logits 0: cross-entropy ln 2 at each of 16 x 16 pixels; prior and posterior are both N(0, 1).
    terms = _zeroed(make_method("prob-unet", "paper")).loss(make_batch())
    assert terms["reconstruction"].item() == pytest.approx(256 * math.log(2), rel=1e-6)
    assert terms["kl"].item() == 0
    assert set(terms) == {"reconstruction", "kl"}


def test_the_released_reconstruction_is_dice_of_foreground_and_background(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
):
    batch = make_batch()
    empty = replace(batch, masks=torch.zeros_like(batch.masks))
    # Probability one half everywhere: foreground 0; background 2 (n / 2) / (n / 2 + n) = 2 / 3.
    terms = _zeroed(make_method("prob-unet", "as_released")).loss(empty)
    assert terms["reconstruction"].item() == pytest.approx(1 - (2 / 3) / 2, rel=1e-6)
    assert terms["norm"].item() == 0


def test_samples_come_to_span_what_four_raters_drew(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_nearest: Callable[..., np.ndarray]
) -> None:
    method = make_method("prob-unet", epochs=500, batch_size=4, kl_weight=1.0)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_nearest(method).min() > 0.95
