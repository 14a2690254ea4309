from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method
from mrbench.nn.losses import cross_entropy

CPU = torch.device("cpu")


def test_a_head_is_a_1x1_convolution_and_all_else_is_shared(make_method: Callable[..., Method]) -> None:
    four, five = (sum(p.numel() for p in make_method("unet-heads", raters=r).parameters()) for r in (4, 5))
    assert five - four == 16 + 1


@pytest.mark.parametrize("classes", [2, 3])
def test_the_loss_is_the_mean_over_present_masks_of_each_heads_own(
    classes: int, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method, batch = make_method("unet-heads", classes=classes), make_batch(2, classes=classes)
    present = torch.tensor([[True, False, True, True], [False, False, True, False]])
    maps = method.features(batch.image)
    own = [
        cross_entropy(method.heads[r](maps[b : b + 1]), batch.masks[b : b + 1, r])
        for b, r in present.nonzero().tolist()
    ]
    found = method.loss(replace(batch, present=present))["cross_entropy"]
    assert found.item() == pytest.approx(torch.stack(own).mean().item(), rel=1e-5)


@pytest.mark.parametrize("classes", [2, 4])
def test_every_head_starts_from_the_background(classes: int, make_method: Callable[..., Method]) -> None:
    torch.manual_seed(0)
    plain = make_method("unet-heads", classes=classes, background_log_odds=0.0)
    torch.manual_seed(0)
    shifted = make_method("unet-heads", classes=classes, background_log_odds=3.0)
    for before, after in zip(plain.heads, shifted.heads, strict=True):
        expected = [-3.0] if classes == 2 else [3.0, 0, 0, 0]
        assert (after.bias - before.bias).tolist() == pytest.approx(expected)


def test_four_cases_are_learnt_by_heart_for_every_rater(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_own: Callable[..., np.ndarray]
) -> None:
    method = make_method("unet-heads", epochs=150, batch_size=4)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_own(method).min() > 0.95
