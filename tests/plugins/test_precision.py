"""Every method trains in bf16, and what it then computes is near what it computes in float32."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mrbench.engine.fit import fit
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method
from mrbench.naming import BUILT_IN
from mrbench.nn.convolutional import convolutions_in_bf16
from mrbench.registry import discover

CPU = torch.device("cpu")


def _learning() -> list[str]:
    own = [plugin.card for plugin in discover().of_kind("method") if plugin.distribution == BUILT_IN]
    return sorted({record.code: record.name for record in own if record.kind == "method" and not record.wraps}.values())


def _losses(method: Method[Any], batch: Batch) -> dict[str, torch.Tensor]:
    # The same noise whatever the precision; dropout left out
    found = {}
    for stage in method.stages():
        for module in method.train().modules():
            if isinstance(module, nn.Dropout | nn.Dropout2d):
                module.eval()
        torch.manual_seed(1)
        found[stage.name] = torch.stack(list(stage.loss(batch).values())).sum()
    return found


@pytest.mark.parametrize("name", _learning())
def test_losses_in_bf16_are_within_two_percent_and_gradients_finite(
    name: str, make_method: Callable[..., Method[Any]], make_batch: Callable[..., Batch]
) -> None:
    method, batch = make_method(name), make_batch(4, side=32)
    full = _losses(method, batch)
    with convolutions_in_bf16():
        low = _losses(method, batch)
    assert any(not torch.equal(full[stage], low[stage]) for stage in full)
    for stage, value in full.items():
        torch.testing.assert_close(low[stage], value, rtol=0.02, atol=0)
    torch.stack(list(low.values())).sum().backward()
    parameters = [p for p in method.parameters() if p.grad is not None]
    assert parameters
    assert all(p.dtype == p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in parameters)


@pytest.mark.parametrize("name", _learning())
def test_every_method_trains_in_bf16(name: str, make_method: Callable[..., Method[Any]], four_cases: Slices) -> None:
    torch.manual_seed(0)
    method = _short(make_method(name), 1)
    rows = fit(method, four_cases, four_cases, seed=0, device=CPU, precision="bf16").rows
    assert [row["stage"] for row in rows] == [stage.name for stage in method.stages()]
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in method.parameters())


def test_a_training_in_bf16_is_another_and_validates_in_float32(
    make_method: Callable[..., Method[Any]], four_cases: Slices
) -> None:
    rows = {}
    for precision in ("float32", "bf16"):
        torch.manual_seed(0)
        method = _short(make_method("unet-majority", learning_rate=1e-12), 1)
        rows[precision] = fit(method, four_cases, four_cases, seed=0, device=CPU, precision=precision).rows[0]
    full, low = rows["float32"], rows["bf16"]
    assert low["train/total"] != full["train/total"]
    assert low["train/total"] == pytest.approx(full["train/total"], rel=0.02)
    # The same weights: only the running means, which a step leaves, are not.
    assert low["validation/total"] == pytest.approx(full["validation/total"], rel=1e-3)


def test_a_resumed_training_in_bf16_is_bit_identical(
    make_method: Callable[..., Method[Any]], four_cases: Slices, tmp_path: Path
) -> None:
    def start() -> Method[Any]:
        torch.manual_seed(0)
        return _short(make_method("per-rater"), 3)

    def stop(event: dict[str, Any]) -> None:
        if event["event"] == "epoch" and event["epoch"] == 1:
            raise KeyboardInterrupt

    options = {"seed": 1, "device": CPU, "precision": "bf16"}
    whole, halted, resumed = start(), start(), start()
    fit(whole, four_cases, four_cases, **options)
    with pytest.raises(KeyboardInterrupt):
        fit(halted, four_cases, four_cases, folder=tmp_path, report=stop, checkpoint_seconds=0, **options)
    fit(resumed, four_cases, four_cases, folder=tmp_path, checkpoint_seconds=0, **options)
    found = resumed.state_dict()
    for name, value in whole.state_dict().items():
        assert torch.equal(value, found[name])


def _short(method: Method[Any], epochs: int) -> Method[Any]:
    stages = method.stages
    method.stages = lambda: [replace(stage, epochs=epochs) for stage in stages()]  # type: ignore[method-assign]
    return method
