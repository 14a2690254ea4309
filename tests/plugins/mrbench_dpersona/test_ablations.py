import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.errors import UsageError
from mrbench.interfaces.method import Batch, Method
from mrbench_dpersona.ablations import orthogonality, pairwise_dice

BOTH = {"stage_1.orthogonality": 0.1, "stage_1.dual_diversity": 0.1}


def _all(batch: int, raters: int) -> torch.Tensor:
    return torch.ones(batch, raters, dtype=torch.bool)


# Orthogonality


def test_it_is_the_mean_squared_cosine_of_the_pairs() -> None:
    means = torch.tensor([[[1.0, 0.0], [3.0, 3.0], [0.0, 2.0]]])  # squared cosines 1/2, 0, 1/2
    assert orthogonality(means, _all(1, 3)).item() == pytest.approx(1 / 3)


def test_right_angles_cost_nothing_and_lines_one_whichever_way_they_point() -> None:
    assert orthogonality(torch.eye(4)[None], _all(1, 4)).item() == pytest.approx(0)
    opposite = torch.tensor([[[1.0, 2.0], [-2.0, -4.0]]])
    assert orthogonality(opposite, _all(1, 2)).item() == pytest.approx(1)


def test_images_with_fewer_than_two_raters_count_nothing() -> None:
    means = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]).expand(4, 3, 2)
    present = torch.tensor([[True] * 3, [True, True, False], [True, False, False], [False] * 3])
    assert orthogonality(means, present).item() == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert orthogonality(means[2:], present[2:]).item() == 0


def test_an_absent_raters_mean_is_never_looked_at() -> None:
    means = torch.tensor([[[1.0, 0.0], [1.0, 1.0], [math.nan, math.inf]]])
    assert orthogonality(means, torch.tensor([[True, True, False]])).item() == pytest.approx(1 / 2)


def test_a_mean_at_the_origin_costs_nothing_and_has_a_gradient() -> None:
    means = torch.zeros(1, 2, 3, requires_grad=True)
    loss = orthogonality(means, _all(1, 2))
    loss.backward()
    assert loss.item() == 0
    assert means.grad is not None
    assert means.grad.isfinite().all()


# Dual diversity


def _square(side: int) -> torch.Tensor:
    mask = torch.zeros(8, 8)
    mask[:side, :side] = 1
    return mask


def test_it_is_the_mean_dice_of_the_pairs() -> None:
    samples = torch.stack([_square(side) for side in (2, 4, 6)])[None, :, None]  # areas 4, 16, 36, nested
    expected = (2 * 4 / (4 + 16) + 2 * 4 / (4 + 36) + 2 * 16 / (16 + 36)) / 3
    assert pairwise_dice(samples).item() == pytest.approx(expected)


@pytest.mark.parametrize("probability", [0.01, 0.5, 1.0])
def test_equal_samples_cost_one_however_sure_they_are(probability: float) -> None:
    assert pairwise_dice(torch.full((2, 5, 3, 4, 4), probability)).item() == pytest.approx(1)


def test_samples_that_share_nothing_or_hold_nothing_cost_nothing() -> None:
    apart = torch.stack([_square(4), 1 - _square(4)])[None, :, None]
    assert pairwise_dice(apart).item() == 0
    assert pairwise_dice(torch.zeros(1, 2, 1, 4, 4)).item() == 0


def test_classes_and_images_count_alike() -> None:
    same, apart = torch.ones(2, 4, 4), torch.stack([torch.ones(4, 4), torch.zeros(4, 4)])
    samples = torch.stack([torch.stack([same, apart], dim=1), torch.stack([apart, apart], dim=1)])  # (B, S, F, H, W)
    assert pairwise_dice(samples).item() == pytest.approx(1 / 4)


# In the method


def test_terms_on_a_model_whose_outputs_are_known(make_method: Callable[..., Method], make_batch: Callable[..., Batch]):
    method = make_method("dpersona-1", **BOTH)
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    terms = method.diversification(make_batch())
    assert terms["dual_diversity"].item() == pytest.approx(0.1)  # one half everywhere: equal samples
    assert terms["orthogonality"].item() == 0
    method.posterior.moments.bias.data[0] = 2.0  # the same mean for whichever rater
    assert method.diversification(make_batch())["orthogonality"].item() == pytest.approx(0.1)


def test_they_change_no_other_term(make_method: Callable[..., Method], make_batch: Callable[..., Batch]) -> None:
    found = []
    for options in ({}, BOTH):
        torch.manual_seed(0)
        method = make_method("dpersona-1", "paper", **options)
        torch.manual_seed(1)
        found.append({name: term.item() for name, term in method.diversification(make_batch()).items()})
    shared = {name: value for name, value in found[1].items() if name in found[0]}
    assert shared == pytest.approx(found[0], rel=1e-6)  # the bound needs all samples in one case and two in the other
    assert set(found[1]) - set(found[0]) == {"orthogonality", "dual_diversity"}


def test_diversity_needs_no_bound_loss(make_method: Callable[..., Method], make_batch: Callable[..., Batch]) -> None:
    method = make_method("dpersona-1", **BOTH, **{"stage_1.bound_weight": 0.0})
    terms = method.diversification(make_batch())
    assert "bound" not in terms
    assert terms["dual_diversity"].item() > 0


def test_one_sample_has_no_pair(make_method: Callable[..., Method]) -> None:
    with pytest.raises(UsageError, match=r"stage_1\.dual_diversity") as caught:
        make_method("dpersona-1", **BOTH, **{"stage_1.bound_samples": 1})
    assert "bound_samples of 2 or more" in str(caught.value.expected)


def test_raters_are_told_apart_by_what_each_of_them_marked_alone(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    # The term equals that of posteriors of batches in which a single rater is present.
    method, batch = make_method("dpersona-1", raters=3, classes=3, **BOTH), make_batch(2, raters=3, classes=3)
    means = []
    for rater in range(3):
        alone = (batch.masks * (torch.arange(3) == rater)[:, None, None])[:, :, None]
        planes = torch.cat([(alone == label).float() for label in (1, 2)], dim=2).flatten(1, 2)
        means.append(method.posterior(torch.cat([batch.image, planes], dim=1)).mean)
    cosines = [torch.cosine_similarity(means[a], means[b]).square() for a, b in ((0, 1), (0, 2), (1, 2))]
    expected = 0.1 * torch.stack(cosines).mean()
    assert method.diversification(batch)["orthogonality"].item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize(("raters", "classes", "size"), [(2, 2, 1), (4, 3, 2), (8, 2, 3)])
def test_any_raters_classes_and_batches(
    raters: int, classes: int, size: int, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method = make_method("dpersona-1", raters=raters, classes=classes, prior_bank=5, **BOTH)
    batch = make_batch(size, raters=raters, classes=classes)
    for stage in method.stages():
        for module in stage.modules:
            module.train()
        terms = stage.loss(batch)
        sum(terms.values()).backward()
        assert all(term.isfinite() for term in terms.values()), stage.name


def test_absent_raters_masks_are_never_looked_at(make_method: Callable[..., Method], make_batch: Callable[..., Batch]):
    method, batch = make_method("dpersona-1", **BOTH), make_batch()
    present = torch.tensor([[True, False, True, False], [False, True, True, True], [False, True, False, False]])
    garbage = torch.where(present[..., None, None], batch.masks, 1 - batch.masks)

    def terms(masks: torch.Tensor) -> dict[str, float]:
        torch.manual_seed(3)
        given = replace(batch, masks=masks, present=present)
        return {name: term.item() for name, term in method.diversification(given).items()}

    assert terms(batch.masks) == terms(garbage)


def test_the_terms_drive_the_model_where_they_say(make_method: Callable[..., Method], four_cases: Slices) -> None:
    def last(**options: Any) -> dict[str, Any]:
        torch.manual_seed(0)
        method = make_method("dpersona-1", **{"stage_1.epochs": 25, "stage_2.epochs": 1, "batch_size": 4}, **options)
        rows = fit(method, four_cases, None, seed=0, device=torch.device("cpu")).rows
        return rows[24]

    little, much = (last(**dict.fromkeys(BOTH, weight)) for weight in (1e-6, 10.0))
    for term in ("orthogonality", "dual_diversity"):
        assert much[f"train/{term}"] / 10 < 0.7 * little[f"train/{term}"] / 1e-6, term
