"""The rows that know marginals alone: their two losses agree, and their samples are level sets."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from made_draws import draws

import mrbench
from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.errors import UsageError
from mrbench.interfaces.method import Batch, Method
from mrbench.nn.raters import label_shares
from mrbench_unet import labels

CPU = torch.device("cpu")
PRESENT = torch.tensor([[True, True, True], [True, False, True], [False, True, False]])


def _gradient(method: Method, batch: Batch) -> torch.Tensor:
    method.zero_grad()
    sum(method.loss(batch).values()).backward()
    return torch.cat([p.grad.flatten() for p in method.parameters()])


@pytest.mark.parametrize("classes", [2, 3])
def test_the_mean_gradient_over_all_draws_of_raters_is_that_of_the_soft_label(
    classes: int,
    make_method: Callable[..., Method],
    make_batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Of 3, 2 and 1 raters present there are 6 equally likely choices, one of each image.
    soft, random = (make_method(name, raters=3, classes=classes) for name in ("unet-soft", "unet-random"))
    random.load_state_dict(soft.state_dict())
    batch = make_batch(3, raters=3, classes=classes)
    batch = replace(batch, present=PRESENT)
    found = []
    for choice in product(*(row.nonzero()[:, 0].tolist() for row in PRESENT)):
        monkeypatch.setattr(labels, "draw_rater", lambda present, choice=choice: torch.tensor(choice))
        found.append(_gradient(random, batch))
    assert len(found) == 6
    expected = _gradient(soft, batch)
    assert (torch.stack(found).mean(dim=0) - expected).abs().max() < 1e-5 * expected.abs().max()
    assert all((one - expected).abs().max() > 1e-2 * expected.abs().max() for one in found)


def test_shares_are_of_the_raters_present() -> None:
    masks = torch.tensor([[[[0, 1, 2]], [[0, 1, 1]], [[9, 9, 9]]]])  # (1, R, 1, W); the third is absent
    found = label_shares(masks, torch.tensor([[True, True, False]]), 3)
    assert found[0, :, 0].T.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0.5, 0.5]]


def test_samples_are_nested_level_sets_and_independent_of_each_other(make_method: Callable[..., Method]) -> None:
    method = make_method("unet-soft", background_log_odds=0.0).eval()
    image = Image("case", np.random.default_rng(0).random((1, 16, 16), dtype=np.float32))
    p = method.features(torch.from_numpy(image.array)[None])[0, 1].detach().numpy()
    masks = np.stack([draw.probability[1] for draw in draws(method, image, 400, "samples")])
    by_size = masks[np.argsort(masks.sum(axis=(1, 2)))]
    assert (np.diff(by_size, axis=0) >= 0).all()
    # Of 400 independent draws a pixel's share lies within four standard errors of p.
    assert np.abs(masks.mean(axis=0) - p).max() < 4 * 0.5 / 20
    assert masks.mean(axis=0).std() > 0


def test_ranks_are_level_sets_from_small_to_large(make_method: Callable[..., Method]) -> None:
    method = make_method("unet-ranks", background_log_odds=0.0).eval()
    image = Image("case", np.random.default_rng(0).random((1, 16, 16), dtype=np.float32))
    p = method.features(torch.from_numpy(image.array)[None])[0, 1].detach().numpy()
    for r, draw in enumerate(draws(method, image, 0, "raters"), start=1):
        assert np.array_equal(draw.probability[1], p > np.float32(1 - (r - 0.5) / 4))


def test_raters_who_are_no_ranks_are_refused_before_the_first_cell(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unet-ranks predicts ranks, and the raters of 'phantom' are none") as error:
        mrbench.run("unet-ranks", "phantom", preset="quick", out=tmp_path / "out")
    assert (error.value.expected, error.value.found) == ("ranked raters", "identified raters")
    assert not (tmp_path / "out").exists()


def test_what_stands_in_void_pixels_changes_no_soft_loss(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method, batch = make_method("unet-soft").eval(), make_batch(2)
    valid = torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.5
    given = [replace(batch, valid=valid, masks=batch.masks.masked_fill(~valid[:, None], k), void=True) for k in (0, 1)]
    zeros, ones = (method.loss(one)["cross_entropy"].item() for one in given)
    assert zeros == ones != method.loss(batch)["cross_entropy"].item()


@pytest.mark.parametrize(("name", "epochs"), [("unet-soft", 200), ("unet-random", 400)])
def test_level_sets_of_four_nested_masks_come_to_be_those_masks(
    name: str,
    epochs: int,
    make_method: Callable[..., Method],
    four_cases: Slices,
    dice_of_nearest: Callable[..., np.ndarray],
) -> None:
    method = make_method(name, epochs=epochs, batch_size=4)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_nearest(method).min() > 0.95
