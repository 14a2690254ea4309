"""The likelihood of D-Persona's stage I and of the per-rater posteriors: two readings, the same for both."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log, log1p
from typing import Any

import pytest
import torch

from mrbench.errors import UsageError
from mrbench.interfaces.method import Batch, Method
from mrbench.registry import discover

OPTIONS = {"dpersona-1": "stage_1.", "dpersona-2": "stage_1.", "per-rater": "", "per-rater-2": ""}
"""Methods with what stands before their options of the loss."""

SURE = 1.0
"""The logit of every pixel."""

FAR = 2.0
"""Of every posterior's mean from the prior's, in its standard deviations."""

TIED = [("dpersona-1", {}), ("per-rater", {}), ("per-rater", {"tied": True})]


def known(make_method: Callable[..., Method], name: str, **options: Any) -> dict[str, float]:
    """Terms where every logit is 1 and every posterior N(2, 1), 5 x 5 of 16 x 16 pixels are marked by four raters."""
    own = {key if key == "tied" else f"{OPTIONS[name]}{key}": value for key, value in options.items()}
    method = make_method(name, "paper", **own)
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    method.network.fcomb.convolutions[-1].bias.data.fill_(SURE)
    posterior = method.posterior if name.startswith("dpersona") else method.posteriors
    posterior.moments.bias.data.view(-1, 2, 6)[:, 0] = FAR  # (encoders, mean or log deviation, Z)
    masks = torch.zeros(3, 4, 16, 16, dtype=torch.long)
    masks[..., :5, :5] = 1
    everybody = torch.ones(3, 4, dtype=torch.bool)
    batch = Batch(torch.rand(3, 1, 16, 16), masks, everybody, torch.ones(3, 16, 16, dtype=torch.bool))
    return {term: value.item() for term, value in method.stages()[0].loss(batch).items()}


@pytest.mark.parametrize(("name", "options"), TIED)
def test_terms_of_the_sum_are_in_nats_and_a_mean_over_the_raters(
    name: str, options: dict[str, bool], make_method: Callable[..., Method]
) -> None:
    terms = known(make_method, name, likelihood="sum", kl_weight=3.0, **options)
    marked, others = log1p(exp(-SURE)), log1p(exp(SURE))  # -log p of a pixel in the mask and outside
    assert terms["reconstruction"] == pytest.approx(25 * marked + 231 * others, rel=1e-5)
    assert terms["_kl"] == pytest.approx(6 * FAR**2 / 2)
    assert terms["kl"] == pytest.approx(3 * terms["_kl"])
    assert terms["_beta_per_pixel"] == pytest.approx(3 / 256)


@pytest.mark.parametrize(("name", "options"), TIED)
def test_the_bound_weighs_the_same_share_of_both_likelihoods_at_the_start(
    name: str, options: dict[str, bool], make_method: Callable[..., Method]
) -> None:
    of_dice, of_sum = (known(make_method, name, likelihood=form, **options)["bound"] for form in ("dice", "sum"))
    p = 1 / (1 + exp(-SURE))
    assert of_dice == pytest.approx(0.5 * (1 - 2 * 25 * p / (25 + 256 * p)), rel=1e-3)
    assert of_sum == pytest.approx(256 * log(2) * of_dice, rel=1e-6)


@pytest.mark.parametrize(("name", "options"), TIED)
def test_only_reconstruction_and_bound_are_others_than_of_dice(
    name: str, options: dict[str, bool], make_method: Callable[..., Method]
) -> None:
    of_dice, of_sum = (known(make_method, name, likelihood=form, **options) for form in ("dice", "sum"))
    assert set(of_dice) == {"reconstruction", "kl", "bound", "norm"}
    assert set(of_sum) == {*of_dice, "_kl", "_beta_per_pixel"}
    assert all(of_sum[term] == of_dice[term] for term in ("kl", "norm"))


@pytest.mark.parametrize("name", ["dpersona-1", "per-rater"])
def test_void_pixels_count_in_neither_the_sum_nor_beta_per_pixel(
    name: str, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method, batch = make_method(name, **{f"{OPTIONS[name]}likelihood": "sum"}), make_batch()
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    valid = torch.zeros(3, 16, 16, dtype=torch.bool)
    valid[:, :4] = True
    terms = method.stages()[0].loss(replace(batch, valid=valid))
    assert terms["reconstruction"].item() == pytest.approx(64 * log(2), rel=1e-5)
    assert terms["_beta_per_pixel"].item() == pytest.approx(1 / 64)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_unknown_likelihood_is_refused_with_those_there_are(name: str, make_method: Callable[..., Method]) -> None:
    option = f"{OPTIONS[name]}likelihood"
    with pytest.raises(UsageError, match=rf"{option}.*(?s:.)*'dice' or 'sum'(?s:.)*'mean'"):
        make_method(name, **{option: "mean"})


@pytest.mark.parametrize("name", OPTIONS)
def test_the_released_loss_is_that_of_trainings_made_before_there_was_another(name: str) -> None:
    config = discover().get("method", name).load_config()
    option = f"{OPTIONS[name]}likelihood"
    assert not {option, "keep"} & set(config().step("training"))
    changed = config.parse({option: "sum"}, owner=name)
    assert changed.step("training")[option] == changed.objective()[option] == "sum"
