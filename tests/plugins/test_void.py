"""Void pixels teach no method anything: what is marked there changes neither a loss nor a gradient."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mrbench.consensus import staple
from mrbench.engine.slices import Slices
from mrbench.interfaces.method import Batch, Method, Stage
from mrbench.naming import BUILT_IN
from mrbench.registry import discover

Made = Callable[..., Method[Any]]


def _learning() -> list[str]:
    own = [plugin.card for plugin in discover().of_kind("method") if plugin.distribution == BUILT_IN]
    return sorted(card.name for card in own if card.kind == "method" and not card.wraps)


OTHER_LOSSES: Mapping[str, Mapping[str, Any]] = {
    "cm-pixel": {"loss": "dice", "rank": 1},
    "cm-global": {"matrix": "scalar", "raters_per_image": "one"},
    "dpersona-2": {"stage_1.dual_diversity": 0.5, "stage_1.orthogonality": 0.5, "stage_1.absent": "zero"},
    "prob-unet": {"reconstruction": "dice"},
    "proseg": {"segmentation_loss": "dice", "weights.reconstruction": 1.0},
}
"""Terms that the presets leave out."""

CASES = [
    *((name, classes, {}) for name in _learning() for classes in (2, 3)),
    *((name, 2, options) for name, options in OTHER_LOSSES.items()),
]


def _with_void(batch: Batch, label: int) -> Batch:
    """Two corners of every image are void, one of the second image's rows besides; a label stands there."""
    valid = batch.valid.clone()
    valid[:, :5, :7] = valid[:, -3:, -6:] = valid[1, 8] = False
    return replace(batch, valid=valid, masks=batch.masks.masked_fill(~valid[:, None], label), void=True)


def _terms(method: Method[Any], stage: Stage, batch: Batch) -> tuple[dict[str, torch.Tensor], list[Any]]:
    """Terms, and the gradient of their sum for every parameter of the stage."""
    torch.manual_seed(0)
    method.zero_grad()
    terms = stage.loss(batch)
    sum(terms.values(), torch.zeros(())).backward()
    return {name: value.detach() for name, value in terms.items()}, [
        None if p.grad is None else p.grad.clone() for group in stage.groups for p in group.parameters
    ]


def _batch_of(stage: Stage, batch: Batch) -> Batch:
    return batch if stage.fuse is None else replace(batch, masks=batch.masks[:, :1], present=batch.present[:, :1])


@pytest.mark.parametrize(("name", "classes", "options"), CASES)
def test_labels_of_void_pixels_change_no_loss_and_no_gradient(
    name: str, classes: int, options: Mapping[str, Any], make_method: Made, make_batch: Callable[..., Batch]
) -> None:
    method, whole = make_method(name, classes=classes, **options), make_batch(classes=classes)
    for stage in method.stages():
        batch = _batch_of(stage, whole)
        terms, gradients = _terms(method, stage, _with_void(batch, 0))
        for label in (1, 255):  # a label, and what is none
            other, moved = _terms(method, stage, _with_void(batch, label))
            assert terms.keys() == other.keys()
            for term, value in terms.items():
                assert torch.equal(value, other[term]), (stage.name, term)
            for mine, theirs in zip(gradients, moved, strict=True):
                assert (mine is None and theirs is None) or torch.equal(mine, theirs), stage.name


@pytest.mark.parametrize("name", _learning())
def test_void_pixels_are_no_background(name: str, make_method: Made, make_batch: Callable[..., Batch]) -> None:
    method = make_method(name)
    found = []
    for stage in method.stages():
        void = _with_void(_batch_of(stage, make_batch()), 0)
        background = replace(void, valid=torch.ones_like(void.valid), void=False)
        ours, theirs = _terms(method, stage, void)[0], _terms(method, stage, background)[0]
        found += [not torch.equal(value, theirs[term]) for term, value in ours.items()]
    assert any(found), "no term leaves them out"


@pytest.mark.parametrize("name", _learning())
def test_a_batch_that_knows_of_no_void_pixel_gives_what_one_that_looks_gives(
    name: str, make_method: Made, make_batch: Callable[..., Batch]
) -> None:
    method = make_method(name)
    for stage in method.stages():
        batch = _batch_of(stage, make_batch())
        known, looked = (_terms(method, stage, replace(batch, void=void)) for void in (False, None))
        assert all(torch.equal(value, looked[0][term]) for term, value in known[0].items())
        assert all((a is None and b is None) or torch.equal(a, b) for a, b in zip(known[1], looked[1], strict=True))


@pytest.mark.parametrize("name", _learning())
def test_a_loss_over_all_pixels_is_nearly_the_one_that_weighs_each_with_one(
    name: str, make_method: Made, make_batch: Callable[..., Batch]
) -> None:
    # Two ways to add up: the same but for rounding.
    method = make_method(name)
    for stage in method.stages():
        batch = _batch_of(stage, make_batch())
        plain, weighed = (_terms(method, stage, replace(batch, void=void))[0] for void in (False, True))
        for term, value in plain.items():
            torch.testing.assert_close(value, weighed[term], rtol=1e-5, atol=1e-6)


def test_the_staple_that_is_learned_is_of_the_pixels_that_count(make_method: Made, four_cases: Slices) -> None:
    (stage,) = make_method("unet-staple").stages()
    valid = torch.ones(4, 32, 32, dtype=torch.bool)
    valid[:, 20:] = False
    valid[3] = False  # nothing counts
    masks = four_cases.masks * valid[:, None]
    fused = Slices(four_cases.image, masks, four_cases.present, 1.0, valid).fused(stage.fuse)
    for n in range(3):
        alone = staple(masks[n, :, :20].numpy()).labels
        np.testing.assert_array_equal(fused.masks[n, 0, :20].numpy(), alone)
        assert not fused.masks[n, 0, 20:].any()
    assert not fused.masks[3].any()
