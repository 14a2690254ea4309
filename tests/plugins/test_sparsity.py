"""Every method trains with raters made absent; what it then learns is not what it learns from all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.naming import BUILT_IN
from mrbench.registry import discover

Loss = Callable[[Batch], Mapping[str, torch.Tensor]]


def _learning() -> list[str]:
    # One method of each family that learns.
    own = [plugin.card for plugin in discover().of_kind("method") if plugin.distribution == BUILT_IN]
    return sorted(
        {record.family: record.name for record in own if record.kind == "method" and not record.wraps}.values()
    )


def _train(method: Method[Any], slices: Slices, raters_present: int | None) -> tuple[list[int], np.ndarray]:
    # Raters present per slice in each step, and the trained weights
    present: list[int] = []
    stages = method.stages

    def watched() -> Sequence[Stage]:
        return [replace(stage, epochs=2, loss=_watched(stage.loss, present)) for stage in stages()]

    method.stages = watched  # type: ignore[method-assign]
    fit(method, slices, None, seed=0, device=torch.device("cpu"), raters_present=raters_present)
    weights = [p.detach().flatten() for p in method.parameters()]
    return present, torch.cat(weights).numpy()


def _watched(loss: Loss, present: list[int]) -> Loss:
    def seen(batch: Batch) -> Mapping[str, torch.Tensor]:
        present.extend(batch.present.sum(dim=1).tolist())
        return loss(batch)

    return seen


@pytest.mark.parametrize("name", _learning())
def test_every_method_learns_from_one_rater_per_image(
    name: str, make_method: Callable[..., Method[Any]], four_cases: Slices
) -> None:
    torch.manual_seed(0)
    present, sparse = _train(make_method(name), four_cases, 1)
    assert set(present) == {1}
    assert np.isfinite(sparse).all()
    torch.manual_seed(0)
    _, full = _train(make_method(name), four_cases, None)
    assert not np.array_equal(sparse, full)
