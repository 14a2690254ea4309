import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from mrbench.errors import UsageError
from mrbench.interfaces.method import Batch
from mrbench_proseg.method import ProSeg

Build = Callable[..., ProSeg]
MakeBatch = Callable[..., Batch]


def _zeroed(proseg: ProSeg) -> ProSeg:
    # z ~ N(0, I), uniform p(r|tau), reconstruction 0 and logits 0; the class embedding keeps its first rows.
    for name, parameter in proseg.named_parameters():
        if not name.startswith("class_embedding."):
            torch.nn.init.zeros_(parameter)
    return proseg


def _terms(proseg: ProSeg, batch: Batch) -> dict[str, float]:
    torch.manual_seed(5)
    return {name: term.item() for name, term in proseg.loss(batch).items()}


def _kl_of_first_rows() -> float:
    # KL(Dir(a) || Dir(1)) = ln G(S) - sum ln G(a) - ln G(8) + sum (a - 1)(psi(a) - psi(S)), a from softplus(1, 0.1)
    own, other = math.log1p(math.e), math.log1p(math.exp(0.1))
    concentration = torch.tensor([own] * 2 + [other] * 6, dtype=torch.float64)
    total = concentration.sum()
    value = total.lgamma() - concentration.lgamma().sum() - math.lgamma(8)
    return (value + ((concentration - 1) * (concentration.digamma() - total.digamma())).sum()).item()


def test_terms_of_the_paper_on_a_model_with_known_outputs(build: Build, batch: MakeBatch) -> None:
    given = batch()
    terms = _terms(_zeroed(build("paper")), given)
    assert terms == {
        "segmentation": pytest.approx(math.log(2)),
        "classification": pytest.approx(math.log(4)),
        "reconstruction": pytest.approx((given.image**2).mean().item()),
        "kl_z": pytest.approx(0.0, abs=1e-7),
        "kl_tau": pytest.approx(_kl_of_first_rows(), rel=1e-4),
    }
    assert terms["kl_tau"] == pytest.approx(0.495, abs=5e-4)


def test_terms_of_sums_are_the_papers_times_the_values_summed(build: Build, batch: MakeBatch) -> None:
    given = batch()
    terms = _terms(_zeroed(build("paper", likelihood="sum", kl_z_reduction="sum")), given)
    pixels = given.masks[0, 0].numel()
    assert terms["segmentation"] == pytest.approx(pixels * math.log(2), rel=1e-5)
    each = (given.image**2).sum(dim=(1, 2, 3)) / 2  # of N(x; 0, 1), without its constant
    assert terms["reconstruction"] == pytest.approx(each.mean().item(), rel=1e-5)
    assert terms["classification"] == pytest.approx(math.log(4))


@pytest.mark.parametrize("other", [{"segmentation_loss": "dice"}, {"reconstruction_loss": "mean-by-batch"}])
def test_a_sum_of_what_is_no_density_is_refused(other: dict[str, str], build: Build) -> None:
    with pytest.raises(UsageError, match="likelihood"):
        build("paper", likelihood="sum", **other)


def test_terms_as_released_on_a_model_with_known_outputs(build: Build, batch: MakeBatch) -> None:
    given = replace(batch(2), masks=torch.zeros(2, 4, 16, 16, dtype=torch.long))
    terms = _terms(_zeroed(build("as_released")), given)
    assert terms == {
        # Probability 1/2 on empty masks: foreground Dice 0, background 2 * (n / 2) / (n / 2 + n).
        "segmentation": pytest.approx(1 - (0 + 2 / 3) / 2),
        "classification": pytest.approx(math.log(4)),
        "reconstruction": pytest.approx((given.image**2).mean().item() / 2),
        "kl_z": pytest.approx(0.1 * 0.5 / math.e, rel=1e-4),
        "kl_tau": pytest.approx(0.1 * 0.495, abs=5e-5),
        "norm": 0.0,
    }


def test_a_certain_classifier_still_pays_for_the_second_softmax_as_released(build: Build, batch: MakeBatch) -> None:
    proseg = build("as_released", raters_per_image="all")
    rater = torch.arange(4)
    certain = torch.eye(4) * 1000
    assert proseg._classification(certain, rater).item() == pytest.approx(math.log(math.e + 3) - 1)
    assert math.log(math.e + 3) - 1 == pytest.approx(0.744, abs=5e-4)
    assert build("paper")._classification(certain, rater).item() == pytest.approx(0)
    assert proseg.loss(batch())["classification"].isfinite()


def test_summed_divergence_is_the_mean_times_channels_and_pixels(build: Build, batch: MakeBatch) -> None:
    mean, total = build("paper"), build("paper", kl_z_reduction="sum")
    total.image_encoder.load_state_dict(mean.image_encoder.state_dict())
    one, other = _terms(mean, batch())["kl_z"], _terms(total, batch())["kl_z"]
    assert other == pytest.approx(one * 16 * 16 * 16, rel=1e-4)


def test_norm_penalty_is_the_norms_of_the_first_two_layers(build: Build, batch: MakeBatch) -> None:
    proseg = _zeroed(build("as_released"))
    first, second, last = proseg.predictor.convolutions
    with torch.no_grad():
        first.weight[0, 0] = 3.0  # type: ignore[operator]
        second.bias[1] = 4.0  # type: ignore[operator]
        last.weight[:] = 100.0  # type: ignore[operator]
    assert _terms(proseg, batch())["norm"] == pytest.approx(1e-5 * (3 + 4))


@pytest.mark.parametrize("preset", ["paper", "as_released", "quick"])
def test_an_absent_raters_mask_changes_nothing(preset: str, build: Build, batch: MakeBatch) -> None:
    given = batch()
    present = torch.tensor([[True, False, True, True], [True, True, False, False], [False, True, True, True]])
    given = replace(given, present=present)
    other = replace(given, masks=torch.where(present[..., None, None], given.masks, 1 - given.masks))
    proseg = build(preset)
    assert _terms(proseg, given) == _terms(proseg, other)


@pytest.mark.parametrize("preset", ["paper", "as_released", "quick"])
@pytest.mark.parametrize(("raters", "classes", "channels"), [(2, 2, 1), (8, 2, 3), (3, 3, 1), (4, 4, 3)])
def test_every_parameter_of_a_present_rater_gets_a_finite_gradient(
    preset: str, raters: int, classes: int, channels: int, build: Build, batch: MakeBatch
) -> None:
    proseg = build(preset, raters=raters, classes=classes, channels=channels, raters_per_image="all")
    terms = proseg.loss(batch(1, raters=raters, classes=classes, channels=channels, side=11))
    torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
    for name, parameter in proseg.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("options", [{"use_tau": False}, {"use_z": False}, {"use_tau": False, "use_z": False}])
def test_ablations_lose_their_terms(options: dict[str, bool], build: Build, batch: MakeBatch) -> None:
    terms = set(build("paper", **options).loss(batch()))
    absent = {"use_tau": {"kl_tau", "classification"}, "use_z": {"kl_z", "reconstruction"}}
    lost = set().union(*(absent[name] for name in options))
    assert terms == {"segmentation", "classification", "reconstruction", "kl_z", "kl_tau"} - lost


def test_a_rater_who_marks_nothing_and_a_batch_of_one_are_fine(build: Build, batch: MakeBatch) -> None:
    for preset in ("paper", "as_released", "quick"):
        given = batch(1)
        given = replace(given, masks=given.masks * torch.tensor([0, 1, 1, 1])[None, :, None, None])
        assert all(math.isfinite(value) for value in _terms(build(preset), given).values())
