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


def test_it_has_an_encoder_of_image_and_mask_for_each_rater(make_method: Callable[..., Method]) -> None:
    method = make_method("per-rater", "paper", tiny=False)
    count = sum(p.numel() for p in method.parameters())
    assert count == 24_429_952 + 1_967_724 + 929 + 4 * 1_967_868


def test_terms_on_a_model_whose_outputs_are_known(make_method: Callable[..., Method], make_batch: Callable[..., Batch]):
    # Logits 0; prior N(0, 1); posteriors N(r, 1): divergence Z r^2 / 2, mean over the raters present.
    method, batch = make_method("per-rater", "paper"), make_batch(2)
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    bias = method.posteriors.moments.bias
    bias.data.view(4, 2, 6)[:, 0] = torch.arange(4.0)[:, None]  # (R, mean or log deviation, Z)
    present = torch.tensor([[True, True, False, True], [False, True, False, False]])
    terms = method.loss(replace(batch, masks=torch.zeros_like(batch.masks), present=present))
    assert terms["kl"].item() == pytest.approx(6 / 2 * (0 + 1 + 9 + 1) / 4, rel=1e-5)
    assert terms["reconstruction"].item() == pytest.approx(1 - (2 / 3) / 2, rel=1e-6)
    assert terms["bound"].item() == pytest.approx(0.5)
    assert terms["norm"].item() == pytest.approx(1e-5 * math.sqrt(6 * (0 + 1 + 4 + 9)), rel=1e-5)


def test_terms_of_the_sum_on_a_model_whose_outputs_are_known(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    # Logits 0, divergences 0: ln 2 nats a pixel, for each rater and so for their mean.
    method, batch = make_method("per-rater", "paper", likelihood="sum"), make_batch(2)
    for parameter in method.parameters():
        torch.nn.init.zeros_(parameter)
    nats = batch.masks[0, 0].numel() * math.log(2)
    terms = method.loss(replace(batch, masks=torch.zeros_like(batch.masks)))
    assert terms["reconstruction"].item() == pytest.approx(nats, rel=1e-6)
    assert terms["bound"].item() == pytest.approx(0.5 * nats, rel=1e-6)  # nobody marks anything: both Dice are 0
    assert terms["kl"].item() == 0


def test_a_raters_mask_reaches_that_raters_encoder_alone(
    make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    method, batch = make_method("per-rater", bound_weight=0.0), make_batch(2)
    present = torch.zeros(2, 4, dtype=torch.bool)
    present[:, 2] = True
    sum(method.loss(replace(batch, present=present)).values()).backward()
    for name, parameter in method.posteriors.named_parameters():
        gradient = parameter.grad.view(4, -1)  # one row per rater
        assert gradient[2].any(), name
        assert not gradient[[0, 1, 3]].any(), name


def test_samples_come_to_span_what_four_raters_drew(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_nearest: Callable[..., np.ndarray]
) -> None:
    method = make_method("per-rater", epochs=400, batch_size=4)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_nearest(method).min() > 0.95


def test_tied_raters_share_one_encoder_of_image_and_mask(make_method: Callable[..., Method]) -> None:
    method = make_method("per-rater", "paper", tiny=False, tied=True)
    assert sum(p.numel() for p in method.parameters()) == 24_429_952 + 1_967_724 + 929 + 1_967_868


@pytest.mark.parametrize("classes", [2, 3])
def test_tied_is_what_untied_is_whose_encoders_are_equal(
    classes: int, make_method: Callable[..., Method], make_batch: Callable[..., Batch]
) -> None:
    tied, apart = (make_method("per-rater", classes=classes, tied=tied).eval() for tied in (True, False))
    shared = dict(tied.posteriors.named_parameters())
    for name, parameter in apart.posteriors.named_parameters():
        parameter.data.copy_(shared[name].repeat(4, *[1] * (parameter.dim() - 1)))
    apart.network.load_state_dict(tied.network.state_dict())
    batch = make_batch(3, classes=classes)
    terms = []
    for method in (tied, apart):
        torch.manual_seed(1)
        terms.append({name: value.item() for name, value in method.loss(batch).items()})
    assert terms[0] == pytest.approx(terms[1], rel=1e-4)
    assert terms[0]["kl"] > 0
    found = [method.encode(method.features(batch.image), batch.masks, batch.present)["z"] for method in (tied, apart)]
    assert torch.allclose(found[0].posterior.mean, found[1].posterior.mean, rtol=1e-4, atol=1e-6)


def test_tied_samples_come_to_span_what_four_raters_drew(
    make_method: Callable[..., Method], four_cases: Slices, dice_of_nearest: Callable[..., np.ndarray]
) -> None:
    method = make_method("per-rater", epochs=400, batch_size=4, tied=True)
    fit(method, four_cases, None, seed=0, device=CPU)
    assert dice_of_nearest(method).min() > 0.95


@pytest.mark.parametrize("name", ["per-rater", "per-rater-2"])
def test_tied_raters_train_their_one_encoder_at_the_benchmarks_budget(
    name: str, make_method: Callable[..., Method], four_cases: Slices
) -> None:
    method = make_method(name, "compact", tied=True, epochs=1)
    before = [parameter.detach().clone() for parameter in method.posteriors.parameters()]
    fit(method, four_cases, None, seed=0, device=CPU)
    after = [parameter.detach() for parameter in method.posteriors.parameters()]
    assert method.posteriors.groups == 1
    assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))
