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
from mrbench.interfaces.method import Batch, Method

CPU = torch.device("cpu")


def test_it_has_per_raters_parameters_and_a_query_network_for_each_rater(make_method: Callable[..., Method]) -> None:
    method = make_method("per-rater-2", "paper", tiny=False)
    count = sum(p.numel() for p in method.parameters())
    assert count == 24_429_952 + 1_967_724 + 929 + 4 * 1_967_868 + 4 * 22_032


def test_its_first_stage_is_per_raters_training_and_its_second_changes_nothing_of_it(
    make_method: Callable[..., Method], four_cases: Slices
) -> None:
    found = []
    for name, options in (("per-rater", {}), ("per-rater-2", {"stage_2.epochs": 2})):
        torch.manual_seed(0)
        method = make_method(name, epochs=2, **options)
        queries = [p.clone() for p in method.queries.parameters()] if name == "per-rater-2" else []
        fit(method, four_cases, None, seed=5, device=CPU)
        found.append(method.network.state_dict() | method.posteriors.state_dict())
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(value, found[1][name]) for name, value in found[0].items())  # BatchNorm's statistics too
    assert any(not torch.equal(p, before) for p, before in zip(method.queries.parameters(), queries, strict=True))


@pytest.mark.parametrize(("raters", "classes", "size"), [(2, 2, 1), (4, 3, 2), (8, 2, 3)])
def test_any_raters_classes_and_batches(
    raters: int, classes: int, size: int, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method = make_method("per-rater-2", raters=raters, classes=classes)
    terms = method.personalisation(make_batch(size, raters=raters, classes=classes))
    assert terms.keys() == {"raters"}
    assert 0 < terms["raters"].item() < 1
    image = Image("volume", np.random.default_rng(0).random((1, 3, 16, 16), dtype=np.float32))
    draws = made(method, image)
    assert [(draw.kind, draw.rater) for draw in draws] == [(DrawKind.RATER, rater) for rater in range(raters)]
    assert draws[0].probability.shape == (classes, 3, 16, 16)


def test_absent_raters_masks_are_never_looked_at(make_method: Callable[..., Method], make_batch: Callable[..., Batch]):
    method, batch = make_method("per-rater-2"), make_batch()
    method.queries.eval()
    present = torch.tensor([[True, False, False, False], [False, True, True, False], [False, True, False, False]])
    garbage = torch.where(present[..., None, None], batch.masks, 1 - batch.masks)

    def losses(masks: torch.Tensor) -> list[float]:
        torch.manual_seed(3)
        given = replace(batch, masks=masks, present=present)
        return [t.item() for stage in method.stages() for t in stage.loss(given).values()]

    assert losses(batch.masks) == losses(garbage)


def test_queries_come_to_find_each_rater(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_draws: Callable[..., np.ndarray]
) -> None:
    options = {"epochs": 400, "stage_2.epochs": 250, "stage_2.dropout": 0.0, "batch_size": 4}
    method = make_method("per-rater-2", **options)
    fit(method, four_cases, None, seed=0, device=CPU)
    found = dice_of_draws(method).mean(axis=0)  # (predictions, R)
    own, other = np.diagonal(found).mean(), np.diagonal(found[::-1]).mean()
    assert own > 0.85
    assert own > other + 0.2
