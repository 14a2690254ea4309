"""The two readings of eq. 8: means over pixels and values, and log densities in nats."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log, log1p

import pytest
import torch

from mrbench.errors import UsageError
from mrbench.interfaces.method import Batch
from mrbench.registry import discover
from mrbench_proseg.config import ProSegConfig
from mrbench_proseg.method import ProSeg

Build = Callable[..., ProSeg]
MakeBatch = Callable[..., Batch]

PIXELS = 16 * 16
SURE = 1.0
"""The logit of every pixel."""

FAR = 2.0
"""The mean of every element of q(z|x), in the prior's standard deviations."""

MARKED, OTHERS = log1p(exp(-SURE)), log1p(exp(SURE))
"""-log p of a pixel in a mask and outside."""


def known(proseg: ProSeg) -> ProSeg:
    """Logits 1, q(z|x) = N(2, 1), p(r|tau) uniform, images decoded as 0; the class embedding keeps its first rows."""
    for name, parameter in proseg.named_parameters():
        if not name.startswith("class_embedding."):
            torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        proseg.predictor.convolutions[-1].bias.fill_(SURE)  # type: ignore[operator]
        for head in proseg.image_encoder.heads.heads:
            head.get_parameter("4.bias")[:16] = FAR
    return proseg


def squares(given: Batch) -> Batch:
    """Masks of 5 x 5 of the 16 x 16 pixels, by all raters."""
    masks = torch.zeros_like(given.masks)
    masks[..., :5, :5] = 1
    return replace(given, masks=masks)


def terms(proseg: ProSeg, batch: Batch) -> dict[str, float]:
    torch.manual_seed(5)
    return {name: term.item() for name, term in proseg.loss(batch).items()}


@pytest.mark.parametrize("channels", [1, 3])
def test_terms_of_the_sum_are_nats_of_whole_masks_images_and_latents(
    channels: int, build: Build, batch: MakeBatch
) -> None:
    given = squares(batch(channels=channels))
    found = terms(known(build("paper", channels=channels, likelihood="sum")), given)
    assert found["segmentation"] == pytest.approx(25 * MARKED + 231 * OTHERS, rel=1e-5)
    assert found["reconstruction"] == pytest.approx((given.image**2).sum().item() / 2 / len(given.image), rel=1e-5)
    assert found["kl_z"] == pytest.approx(16 * PIXELS * FAR**2 / 2)
    assert found["classification"] == pytest.approx(log(4))


def test_terms_of_the_mean_are_of_a_pixel_and_of_a_value(build: Build, batch: MakeBatch) -> None:
    given = squares(batch())
    found = terms(known(build("paper")), given)
    assert found["segmentation"] == pytest.approx((25 * MARKED + 231 * OTHERS) / PIXELS, rel=1e-5)
    assert found["reconstruction"] == pytest.approx((given.image**2).mean().item(), rel=1e-5)
    assert found["kl_z"] == pytest.approx(FAR**2 / 2)


def test_three_classes_at_even_odds_are_ln_3_nats_a_pixel(build: Build, batch: MakeBatch) -> None:
    proseg = known(build("paper", classes=3, likelihood="sum"))
    assert terms(proseg, batch(classes=3))["segmentation"] == pytest.approx(PIXELS * log(3), rel=1e-5)


def test_against_the_mean_masks_weigh_as_many_times_more_as_there_are_pixels_and_tau_as_much(
    build: Build, batch: MakeBatch
) -> None:
    mean, total = build("paper"), build("paper", likelihood="sum")
    total.load_state_dict(mean.state_dict())
    one, other = terms(mean, batch()), terms(total, batch())
    ratios = {name: other[name] / one[name] for name in one}
    assert ratios == pytest.approx(
        {"segmentation": PIXELS, "reconstruction": PIXELS / 2, "kl_z": 16 * PIXELS, "kl_tau": 1, "classification": 1},
        rel=1e-4,
    )


def test_gradients_weigh_so_too(build: Build, batch: MakeBatch) -> None:
    def gradient(**options: str) -> torch.Tensor:
        torch.manual_seed(5)
        proseg = build("paper", **options)
        torch.manual_seed(5)
        proseg.loss(batch())["segmentation"].backward()  # type: ignore[no-untyped-call]
        return proseg.predictor.convolutions[-1].weight.grad  # type: ignore[return-value]

    assert torch.allclose(gradient(likelihood="sum"), PIXELS * gradient(), rtol=1e-3)


def test_curves_keep_the_nats_whatever_the_weights(build: Build, batch: MakeBatch) -> None:
    weights = {"segmentation": 2.0, "reconstruction": 0.5, "kl_z": 3.0, "kl_tau": 0.0, "classification": 5.0}
    plain = terms(known(build("paper", likelihood="sum")), batch())
    found = terms(known(build("paper", likelihood="sum", weights=weights)), batch())
    for name, weight in weights.items():
        assert found[f"_{name}"] == plain[f"_{name}"] == plain[name]
        assert found[name] == pytest.approx(weight * plain[name])


def test_void_pixels_are_not_looked_at(build: Build, batch: MakeBatch) -> None:
    valid = torch.zeros(3, 16, 16, dtype=torch.bool)
    valid[:, :4] = True
    proseg, given = known(build("paper", likelihood="sum")), replace(squares(batch()), valid=valid)
    found = terms(proseg, given)
    assert found["segmentation"] == pytest.approx(20 * MARKED + 44 * OTHERS, rel=1e-5)
    other = replace(given, masks=torch.where(valid[:, None], given.masks, 1 - given.masks))
    assert terms(proseg, other) == found


def test_absent_raters_are_left_out_of_the_mean_over_pairs(build: Build, batch: MakeBatch) -> None:
    given = batch()
    masks = torch.ones_like(given.masks)
    masks[:, 0] = 0
    present = torch.tensor([[True, True, False, False], [True, False, False, False], [False, False, True, False]])
    found = terms(known(build("paper", likelihood="sum")), replace(given, masks=masks, present=present))
    assert found["segmentation"] == pytest.approx(PIXELS * (2 * OTHERS + 2 * MARKED) / 4, rel=1e-5)


@pytest.mark.parametrize("ablation", [{"use_z": False}, {"use_tau": False}, {"weights.reconstruction": 0.0}])
def test_what_is_left_out_is_told_of_by_neither_name(
    ablation: dict[str, object], build: Build, batch: MakeBatch
) -> None:
    found = set(terms(build("paper", likelihood="sum", **ablation), batch()))
    objective = {name for name in found if not name.startswith("_")}
    assert {name[1:] for name in found - objective} == objective


@pytest.mark.parametrize(
    "other",
    [
        {"segmentation_loss": "dice"},
        {"reconstruction_loss": "mean-by-batch"},
        {"kl_z_reduction": "mean"},
        {"preset": "as_released"},
    ],
)
def test_a_sum_beside_what_is_in_no_nats_is_refused_with_what_it_needs(other: dict[str, str], build: Build) -> None:
    with pytest.raises(UsageError, match=r"'likelihood' of proseg(?s:.)*segmentation_loss = cross-entropy.*nats"):
        build(**{"preset": "paper", "likelihood": "sum", **other})


def test_an_unknown_likelihood_is_refused_with_those_there_are(build: Build) -> None:
    with pytest.raises(UsageError, match=r"'mean' or 'sum'(?s:.)*'dice'"):
        build("paper", likelihood="dice")


def test_the_mean_is_what_trainings_were_made_with_before_there_was_a_sum() -> None:
    config = ProSegConfig()
    assert "likelihood" not in config.step("training")
    assert config.step("training")["kl_z_reduction"] == "mean"
    assert config.objective() == {}


def test_a_sum_is_another_objective_and_reads_back_as_it_was_written() -> None:
    config = ProSegConfig.parse({"likelihood": "sum"}, owner="proseg")
    assert config.objective() == {"likelihood": "sum", "kl_z_reduction": "sum"}
    assert config.step("training").items() >= config.objective().items()
    assert ProSegConfig.parse(config.values(), owner="proseg") == config


@pytest.mark.parametrize("name", ["proseg", "proseg-prior"])
def test_the_help_says_what_it_does_not_mend(name: str) -> None:
    assert "not tau" in discover().get("method", name).load_config().options()["likelihood"]
