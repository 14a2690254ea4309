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


def _count(*networks: torch.nn.Module) -> int:
    return sum(p.numel() for network in networks for p in network.parameters())


def test_parameter_counts_are_the_released_models(make_method: Callable[..., Method]) -> None:
    method = make_method("dpersona-1", "as_released", tiny=False)
    assert _count(method.network, method.posterior) == 28_366_905
    assert _count(method.queries) == 4 * 22_032
    assert _count(method) == 28_455_033


def test_terms_on_a_model_whose_outputs_are_known(make_method: Callable[..., Method], make_batch: Callable[..., Batch]):
    method, batch = make_method("dpersona-1", "as_released"), make_batch()
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    terms = method.diversification(replace(batch, masks=torch.zeros_like(batch.masks)))
    assert terms["reconstruction"].item() == pytest.approx(1 - (2 / 3) / 2, rel=1e-6)  # as for empty masks of anybody
    assert terms["kl"].item() == terms["norm"].item() == 0
    assert terms["bound"].item() == pytest.approx(0.5)  # weight 0.5; nobody marks anything, so both Dice are 0


@pytest.mark.parametrize("absent", ["mask", "zero"])
def test_terms_of_the_sum_on_a_model_whose_outputs_are_known(
    absent: str, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method = make_method("dpersona-1", **{"stage_1.likelihood": "sum", "stage_1.absent": absent})
    batch = make_batch()
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    nats = batch.masks[0, 0].numel() * math.log(2)
    terms = method.diversification(replace(batch, masks=torch.zeros_like(batch.masks)))
    assert terms["reconstruction"].item() == pytest.approx(nats, rel=1e-6)
    assert terms["bound"].item() == pytest.approx(0.5 * nats, rel=1e-6)


def test_stage_two_leaves_everything_of_stage_one_as_it_is(make_method: Callable[..., Method], four_cases: Slices):
    method = make_method("dpersona-2", **{"stage_1.epochs": 1, "stage_2.epochs": 3})
    one, two = method.stages()
    kept: list[dict[str, torch.Tensor]] = []

    def loss(batch: Batch) -> dict[str, torch.Tensor]:
        if not kept:
            kept.append({k: v.clone() for k, v in method.network.state_dict().items()})
        return dict(two.loss(batch))

    method.stages = lambda: [one, replace(two, loss=loss)]  # type: ignore[method-assign]
    before = {k: v.clone() for k, v in method.queries.state_dict().items()}
    fit(method, four_cases, None, seed=0, device=CPU)
    after = method.network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in kept[0].items())  # BatchNorm's statistics included
    assert any(not torch.equal(method.queries.state_dict()[name], value) for name, value in before.items())


@pytest.mark.parametrize("absent", ["mask", "zero"])
@pytest.mark.parametrize("drawn", ["image", "batch"])
def test_absent_raters_masks_are_never_looked_at(
    drawn: str, absent: str, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    options = {"stage_1.rater_drawn_per": drawn, "stage_1.absent": absent}
    method, batch = make_method("dpersona-1", **options), make_batch()
    method.queries.eval()
    present = torch.tensor([[True, False, False, False], [False, True, True, False], [False, True, False, False]])
    garbage = torch.where(present[..., None, None], batch.masks, 1 - batch.masks)

    def losses(masks: torch.Tensor) -> list[float]:
        torch.manual_seed(3)
        given = replace(batch, masks=masks, present=present)
        return [t.item() for stage in method.stages() for t in stage.loss(given).values()]

    assert losses(batch.masks) == losses(garbage)
    assert np.isfinite(losses(batch.masks)).all()


def test_for_an_absent_rater_nothing_or_an_empty_mask_is_reconstructed(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    batch, one = make_batch(2000, side=4), torch.arange(4) == 0
    given = replace(batch, masks=torch.ones_like(batch.masks), present=one.expand(2000, 4))
    found = {}
    for absent in ("mask", "zero"):
        method = make_method("dpersona-1", **{"stage_1.absent": absent})
        for parameter in method.parameters():
            torch.nn.init.zeros_(parameter)
        torch.manual_seed(0)
        with torch.no_grad():
            found[absent] = {name: term.item() for name, term in method.diversification(given).items()}
    # Probability one half everywhere, a full mask for the one who is present. Dice of a class with share s of the
    # pixels is 2 s / 2 over one half + s: 2/3 for the full, 0 for the empty; with zero the one is drawn in a quarter.
    assert found["mask"]["reconstruction"] == pytest.approx(1 - (2 / 3) / 2, rel=1e-6)
    quarter, rest = 0.25 / 0.75, 0.75 / 1.25
    assert found["zero"]["reconstruction"] == pytest.approx(1 - (quarter + rest) / 2, abs=0.02)
    assert found["zero"]["bound"] == found["mask"]["bound"]  # union and intersection of those who are present


def test_samples_come_to_span_the_raters_and_queries_to_find_them(
    make_method: Callable[..., Method],
    four_cases: Slices,
    dice_of_nearest: Callable[..., np.ndarray],
    dice_of_draws: Callable[..., np.ndarray],
) -> None:
    options = {"stage_1.epochs": 400, "stage_2.epochs": 250, "stage_2.dropout": 0.0, "batch_size": 4}
    method = make_method("dpersona-1", **options)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_nearest(method).min() > 0.95
    # A query is not negative and attends to a finite bank: the outermost raters are reached less closely.
    found = dice_of_draws(method).mean(axis=0)  # (predictions, R)
    own, other = np.diagonal(found).mean(), np.diagonal(found[::-1]).mean()
    assert own > 0.85
    assert own > other + 0.2
