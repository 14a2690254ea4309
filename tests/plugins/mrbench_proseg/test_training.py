from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_draws import draws as made

from mrbench.data.case import Image
from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.draw import DrawKind
from mrbench_proseg.method import ProSeg

CPU = torch.device("cpu")


def _dice_of_raters(proseg: ProSeg, slices: Slices) -> np.ndarray:
    # (N, R) Dice of every rater's prediction
    found = np.full(slices.present.shape, np.nan)
    for number, array in enumerate(slices.image.numpy()):
        for draw in made(proseg, Image(f"case-{number}", array)):
            assert draw.kind is DrawKind.RATER
            mask, truth = draw.probability[1] > 0.5, slices.masks[number, draw.rater].numpy() > 0
            found[number, draw.rater] = 2 * (mask & truth).sum() / (mask.sum() + truth.sum())
    return found


def test_four_cases_are_learnt_by_heart_for_every_rater(build: Callable[..., ProSeg], four_discs: Slices) -> None:
    proseg = build(epochs=120, batch_size=4)
    fit(proseg, four_discs, None, seed=0, device=CPU)
    assert _dice_of_raters(proseg, four_discs).mean(axis=0).min() > 0.95


def test_four_cases_are_learnt_from_one_rater_at_a_time(build: Callable[..., ProSeg], four_discs: Slices) -> None:
    present = ~torch.eye(4, dtype=torch.bool)  # each case misses another rater
    slices = replace(four_discs, present=present, masks=four_discs.masks * present[..., None, None])
    proseg = build(epochs=200, batch_size=4, raters_per_image="one")
    fit(proseg, slices, None, seed=0, device=CPU)
    assert _dice_of_raters(proseg, slices)[present.numpy()].mean() > 0.95


@pytest.mark.parametrize("preset", ["paper", "as_released"])
def test_presets_train_under_the_harness(preset: str, build: Callable[..., ProSeg], four_discs: Slices) -> None:
    proseg = build(preset, epochs=2, batch_size=3)
    curve = fit(proseg, four_discs, four_discs, seed=0, device=CPU)
    assert len(curve.rows) == 2
    assert np.isfinite([row["validation/total"] for row in curve.rows]).all()


def test_a_training_repeats_under_its_seed(build: Callable[..., ProSeg], four_discs: Slices) -> None:
    def losses(seed: int) -> list[float]:
        torch.manual_seed(0)
        return [row["train/total"] for row in fit(build(epochs=2), four_discs, None, seed=seed, device=CPU).rows]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)
