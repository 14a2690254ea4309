"""Toys whose answer is known: no latent, a latent that is the rater, speckle, and noise that nothing comes of."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from made_draws import CPU
from torch import Tensor
from torch.distributions import Independent, Normal

from mrbench.cards import MethodCard
from mrbench.configuration import Config
from mrbench.data.case import Case
from mrbench.data.description import Description
from mrbench.diagnostics.figures import Figure, Tally
from mrbench.diagnostics.masks import distances
from mrbench.diagnostics.verdicts import verdicts
from mrbench.diagnostics.weights import WeightsDiagnosis
from mrbench.engine.draws import Source, draws_of
from mrbench.errors import PluginError
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.method import Method
from mrbench.interfaces.noise import Noise
from mrbench.metrics.counting import pack_masks
from mrbench.metrics.tables import TableBuilder

DESCRIPTION = Description(
    name="toy", version="1", classes=("background", "lesion"), channels=("CT",), raters="identified",
    rater_names=("a", "b", "c"), unit="slice",
)  # fmt: skip
SIDE = 6
SIDES = torch.tensor([1, 2, 3])
"""Of the square that each rater's style draws."""


def squares(sides: Tensor) -> Tensor:
    """``(S, N, 1, H, W)`` logits of squares at a corner, from sides ``(S, N)``."""
    place = torch.arange(SIDE)
    inside = place < sides[..., None]
    return torch.where(inside[..., :, None] & inside[..., None, :], 5.0, -5.0)[:, :, None]


class NoLatent(Method[Config]):
    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Tensor:
        return squares(SIDES[rater].expand(1, len(features)))


class RaterLatent(Method[Config]):
    """A sample is a random rater's square; ``idle`` is drawn, and nothing comes of it."""

    def sample(self, features: Tensor, noise: Noise) -> Tensor:
        noise.normal("idle", 2)
        return squares(SIDES[noise.integers("rater", 3)])


class Speckle(Method[Config]):
    """A rater's answer is coins, one per pixel, whoever it is."""

    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Tensor:
        return noise.normal("pixels", 1, SIDE, SIDE)


class TwoCoins(Method[Config]):
    """One row is always marked, two by the coin ``a``, three by the coin ``b``."""

    def sample(self, features: Tensor, noise: Noise) -> Tensor:
        a, b = noise.integers("a", 2), noise.integers("b", 2)  # (S, N)
        rows = torch.stack([torch.ones_like(a), a, a, b, b, b], dim=-1)  # (S, N, 6)
        return (10.0 * rows - 5)[:, :, None, :, None].expand(-1, -1, 1, SIDE, SIDE)


class Collapsed(RaterLatent):
    """Its prior moves with the image and its posterior is the prior."""

    def encode(self, features: Tensor, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        mean = features.mean(dim=(1, 2, 3))[:, None, None].expand(-1, present.shape[1], 2)
        return {"idle": Latent(gaussian(mean), gaussian(mean[:, :1]))}


class KnowsTheRater(RaterLatent):
    """Its posterior tells whose mask it saw: by the mask, for no two raters draw equal areas."""

    def encode(self, features: Tensor, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        area = masks.sum(dim=(2, 3)).float()[:, :, None]  # (N, R, 1)
        return {"rater": Latent(gaussian(10 * area), gaussian(torch.zeros_like(area[:, :1])))}


class WrongLatents(RaterLatent):
    def encode(self, features: Tensor, masks: Tensor, present: Tensor) -> object:
        return {"z": 1}


def gaussian(mean: Tensor) -> Independent:
    return Independent(Normal(mean, torch.ones_like(mean)), 1)


def case(number: int = 0) -> Case:
    image = np.full((1, SIDE, SIDE), number, np.float32)
    masks = (squares(SIDES[:, None])[:, 0, 0] > 0).numpy().astype(np.uint8)
    return Case(f"case {number}", f"subject {number}", image, masks, np.ones(3, bool))


def diagnosed(method: type[Method[Any]], gives: str, cases: int = 3, draws: int = 300) -> WeightsDiagnosis:
    source = Source(method(Config(), DESCRIPTION), MethodCard(name="toy", code="a:b", gives=gives), 7, CPU)
    found = WeightsDiagnosis(source, draws, Tally())
    for one in map(case, range(cases)):
        found.survey(one)
    for one in map(case, range(cases)):
        builder = TableBuilder(one.masks, one.present, 2)
        for draw in draws_of(source, one.without_masks(), 5):
            builder.add(draw)
        found.add(one, builder.finish())
    return found


def figures(method: type[Method[Any]], gives: str, **more: int) -> dict[str, float | None]:
    found = diagnosed(method, gives, **more)
    return {name: one.value for name, one in (found.tally.figures() | found.figures()).items()}


def between_squares() -> float:
    """The mean distance of the squares of two raters drawn uniformly, who may be one."""
    areas = [int(side) ** 2 for side in SIDES]
    return float(np.mean([1 - min(a, b) / max(a, b) for a, b in product(areas, areas)]))


def entropy(*shares: float) -> float:
    """Nats of pixels that are marked in these shares of the draws."""
    return -sum(p * math.log(p) + (1 - p) * math.log(1 - p) for p in shares)


SQUARES = entropy(*3 * [2 / 3], *5 * [1 / 3])
"""Three pixels are in two raters' squares, five in one's alone."""


def test_what_has_no_latent_differs_between_raters_alone_and_has_no_effects():
    assert figures(NoLatent, "raters") == pytest.approx({
        "distance of two answers as raters": between_squares(),
        "share within a rater": 0,
        "share between raters": 1,
        "entropy of pixels": SQUARES,
        "pixel information on the rater": 1,
        "pixel information within a rater": 0,
    })  # fmt: skip


def test_where_the_latent_is_the_rater_it_alone_decides_and_idle_noise_does_nothing():
    found = figures(RaterLatent, "samples")
    assert found["total effect of rater"] == pytest.approx(1, abs=0.1)
    assert found["first-order effect of rater"] == 1
    assert found["total effect of idle"] == 0
    assert found["first-order effect of idle"] == pytest.approx(0, abs=0.1)


def test_speckle_lies_within_a_rater_and_its_effect_is_all():
    found = figures(Speckle, "raters", draws=40)
    assert found["share within a rater"] == pytest.approx(1, abs=0.01)
    assert found["share between raters"] == pytest.approx(0, abs=0.01)
    assert found["distance of two answers as raters"] == pytest.approx(2 / 3, abs=0.02)  # two of three marked pixels
    assert found["total effect of pixels, rater held"] == pytest.approx(1, abs=0.02)
    assert found["first-order effect of pixels, rater held"] == 1
    assert found["entropy of pixels"] == pytest.approx(SIDE**2 * math.log(2), rel=0.01)
    assert found["pixel information on the rater"] == pytest.approx(0, abs=0.01)


def enumerated(fixed: Iterable[int]) -> float:
    """Mean distance of two masks of ``TwoCoins`` whose coins of these numbers are one, all others independent."""
    free = [number for number in (0, 1) if number not in fixed]
    found = []
    for first, second in product(product((0, 1), repeat=2), repeat=2):
        if all(first[number] == second[number] for number in fixed):
            masks = np.array([[1, a, a, b, b, b] for a, b in (first, second)], bool)
            found.append(distances(pack_masks(masks[:, None]))[0, 1])
    assert len(found) == 4 * 2 ** len(free)
    return float(np.mean(found))


def test_the_effects_of_two_coins_are_those_of_all_their_outcomes():
    found = figures(TwoCoins, "samples", cases=4, draws=400)
    whole = enumerated([])
    for site, number in (("a", 0), ("b", 1)):
        assert found[f"total effect of {site}"] == pytest.approx(enumerated([1 - number]) / whole, abs=0.04)
        assert found[f"first-order effect of {site}"] == pytest.approx(1 - enumerated([number]) / whole, abs=0.06)


def test_a_collapsed_posterior_is_told_of_though_its_prior_moves():
    found = diagnosed(Collapsed, "samples", draws=8)
    both = found.tally.figures() | found.figures()
    assert both["KL of idle"].value == pytest.approx(0, abs=1e-6)
    assert both["active elements of idle, 2 in all"].value == 0
    assert any(line.startswith("collapsed: KL of idle") for line in verdicts(both))


def test_a_posterior_that_sees_whose_mask_it_is_knows_ln_r_and_is_not_told_of():
    found = diagnosed(KnowsTheRater, "samples", draws=8)
    both = found.tally.figures() | found.figures()
    assert both["information on the rater in rater"].value == pytest.approx(math.log(3), abs=1e-4)
    whole, rest = (both[name].value for name in ("KL of rater", "mean posterior's KL of rater"))
    assert whole is not None
    assert rest == pytest.approx(whole - math.log(3), abs=1e-3)
    assert not any("collapsed" in line for line in verdicts(both))


def test_draws_from_the_weights_are_those_that_were_stored():
    for method, gives in ((NoLatent, "raters"), (RaterLatent, "samples"), (Speckle, "raters samples")):
        assert diagnosed(method, gives, cases=2, draws=8).same == 2


def test_draws_that_are_not_those_that_were_stored_are_counted():
    source = Source(Speckle(Config(), DESCRIPTION), MethodCard(name="toy", code="a:b", gives="raters"), 7, CPU)
    one, found = case(), WeightsDiagnosis(source, 4, Tally())
    builder = TableBuilder(one.masks, one.present, 2)
    for draw in draws_of(source.reseeded(1), one.without_masks(), 5):
        builder.add(draw)
    found.add(one, builder.finish())
    assert found.same == 0


def test_an_encode_that_gives_no_latents_is_refused_with_its_place():
    with pytest.raises(PluginError, match=r"encode\(\) gives no latents \(test_weights.py:"):
        diagnosed(WrongLatents, "samples", cases=1, draws=4)


def test_idle_noise_and_one_mask_for_all_are_caveats_and_life_is_none():
    dead = {
        "distance of two raters": Figure(0.3),
        "distance of two samples": Figure(0.002),
        "total effect of tau": Figure(0.004),
        "share within a rater": Figure(0.03),
    }
    alive = {name: Figure(0.3) for name in dead}
    assert verdicts(dead) == (
        "inert: distance of two samples 0.002, of people 0.300",
        "inert: total effect of tau 0.40%",
        "inert within a rater: 3.0% of the distance",
    )
    assert verdicts(alive) == verdicts({}) == ()
    assert verdicts({"share within a rater": Figure(None, why="it answers as no rater")}) == ()


def test_a_method_that_draws_nothing_within_a_rater_promises_nothing_there():
    assert verdicts({"share within a rater": Figure(0.0), "distance of two raters": Figure(0.3)}) == ()


class SideOfTheImage(Method[Config]):
    """z is the image's number, and a sample is a square of that side; ``stiff`` is drawn and does nothing."""

    def sample(self, features: Tensor, noise: Noise) -> Tensor:
        number = features.mean(dim=(1, 2, 3))  # (N,)
        z = number[:, None] + 0.01 * noise.normal("z", 1)  # (S, N, 1)
        noise.normal("stiff", 1)
        return squares(z[..., 0].round() + 1)

    def encode(self, features: Tensor, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        mean = features.mean(dim=(1, 2, 3))[:, None, None]
        prior = Independent(Normal(mean, torch.full_like(mean, 0.01)), 1)
        return {"z": Latent(prior, prior), "stiff": Latent(prior, prior)}


def test_a_latent_of_another_image_takes_its_answer_with_it_and_idle_noise_changes_nothing():
    found = figures(SideOfTheImage, "samples", cases=3, draws=6)

    def score(side: int) -> float:  # all samples are one square; the raters' have sides 1, 2 and 3
        return float(np.mean([1 - min(side, r) ** 2 / max(side, r) ** 2 for r in (1, 2, 3)]))

    # Case n has a square of side n + 1; with the latent of the case before, of side n.
    change = np.mean([score(n) - score(n + 1) for n in (1, 2)])
    assert found["change of energy score by z of another image"] == pytest.approx(change)
    assert found["change of energy score by stiff of another image"] == 0
    assert found["change of distance of two samples by z of another image"] == 0


def test_a_latent_held_at_the_mean_of_all_images_gives_the_answer_of_the_mean():
    found = figures(SideOfTheImage, "samples", cases=3, draws=6)

    def score(side: int) -> float:
        return float(np.mean([1 - min(side, r) ** 2 / max(side, r) ** 2 for r in (1, 2, 3)]))

    change = np.mean([score(2) - score(n + 1) for n in range(3)])  # the images' mean is 1, whose square has side 2
    assert found["change of energy score by z of the mean image"] == pytest.approx(change)
    assert found["change of energy score by stiff of the mean image"] == 0


class SideByLatent(Method[Config]):
    """z is drawn about 1, and a sample is a square of side 1, 2 or 3; its posterior knows whose mask it saw."""

    know = 1.0

    def sample(self, features: Tensor, noise: Noise) -> Tensor:
        return squares((1 + noise.normal("z", 1)[..., 0]).round().clamp(0, 2) + 1)

    def encode(self, features: Tensor, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        side = masks.sum(dim=(2, 3)).float().sqrt()[:, :, None]  # (N, R, 1), those of SIDES
        prior = gaussian(torch.ones_like(side[:, :1]))
        told = Independent(Normal(side - 1, torch.full_like(side, 0.01)), 1)
        return {"z": Latent(told if self.know else gaussian(1 + 1e-6 * side), prior)}


class SideByCollapsedLatent(SideByLatent):
    know = 0.0


def test_masks_carry_what_a_posterior_knows_of_the_rater_and_none_of_what_it_does_not():
    found, none = (figures(one, "samples", cases=1, draws=200) for one in (SideByLatent, SideByCollapsedLatent))
    assert found["entropy of pixels, of posteriors"] == pytest.approx(SQUARES)
    assert found["pixel information on the rater, of posteriors"] == pytest.approx(1)
    assert none["pixel information on the rater, of posteriors"] == pytest.approx(0, abs=0.01)
    assert none["pixel information within a rater, of posteriors"] == pytest.approx(1, abs=0.01)


def test_posteriors_of_raters_who_did_not_look_are_left_out():
    source = Source(SideByLatent(Config(), DESCRIPTION), MethodCard(name="toy", code="a:b", gives="samples"), 7, CPU)
    weights, whole = WeightsDiagnosis(source, 50, Tally()), case()
    one = replace(whole, present=np.array([True, False, True]), masks=whole.masks * np.array([1, 0, 1])[:, None, None])
    one = replace(one, masks=one.masks.astype(np.uint8))
    builder = TableBuilder(one.masks, one.present, 2)
    for draw in draws_of(source, one.without_masks(), 5):
        builder.add(draw)
    weights.add(one, builder.finish())
    found = weights.tally.figures()["entropy of pixels, of posteriors"].value
    assert found == pytest.approx(8 * math.log(2))  # squares of sides 1 and 3


def volume(number: int, sides: Sequence[int]) -> Case:
    """A volume whose slice n has the number ``sides[n] - 1``; each rater marks one square in all of them."""
    image = np.stack([np.full((SIDE, SIDE), side - 1, np.float32) for side in sides])[None]
    one = case().masks
    return Case(f"case {number}", f"subject {number}", image, np.stack(len(sides) * [one], axis=1), np.ones(3, bool))


@pytest.mark.parametrize("at_once", [SIDE**2, 2**17])
def test_latents_of_another_volume_come_from_its_slices_at_the_same_height(
    monkeypatch: pytest.MonkeyPatch, at_once: int
):
    monkeypatch.setattr("mrbench.engine.draws.PIXELS_AT_ONCE", at_once)  # slices one by one, or all together
    source = Source(SideOfTheImage(Config(), DESCRIPTION), MethodCard(name="toy", code="a:b", gives="samples"), 7, CPU)
    weights, volumes = WeightsDiagnosis(source, 4, Tally()), [volume(0, [1, 2]), volume(1, [3, 2, 1, 2])]
    for one in volumes:
        weights.survey(one)
    for one in volumes:
        builder = TableBuilder(one.masks, one.present, 2)
        for draw in draws_of(source, one.without_masks(), 4):
            builder.add(draw)
        weights.add(one, builder.finish())
    found = {name: one.value for name, one in weights.tally.figures().items()}

    def score(sides: Sequence[int]) -> float:
        both = [(sum(min(s, r) ** 2 for s in sides), sum(max(s, r) ** 2 for s in sides)) for r in (1, 2, 3)]
        return float(np.mean([1 - shared / either for shared, either in both]))

    assert weights.same == 2
    change = score([1, 1, 2, 2]) - score([3, 2, 1, 2])
    assert found["change of energy score by z of another image"] == pytest.approx(change)
    # The volumes' means are 1 / 2 and 1, the mean of all is 3 / 4, whose square has side 2.
    held = np.mean([score([2, 2]) - score([1, 2]), score([2, 2, 2, 2]) - score([3, 2, 1, 2])])
    assert found["change of energy score by z of the mean image"] == pytest.approx(held)
    assert found["KL of z"] == pytest.approx(0, abs=1e-6)


class LatentOfTheRater(Method[Config]):
    """z of rater r is about r, and the answer a square of side r + 1; its posterior sees no mask."""

    def as_rater(self, features: Tensor, rater: int, noise: Noise) -> Tensor:
        return squares((rater + 0.01 * noise.normal("z", 1))[..., 0].round() + 1)

    def encode(self, features: Tensor, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        mean = torch.arange(3.0)[None, :, None].expand(len(features), -1, -1)
        deviation = torch.full_like(mean, 0.01)
        return {"z": Latent(Independent(Normal(mean, deviation), 1), gaussian(torch.zeros_like(mean[:, :1])))}


class SeesMasks(LatentOfTheRater):
    def encode(self, features: Tensor, masks: Tensor, present: Tensor) -> Mapping[str, Latent]:
        found = super().encode(features, masks, present)
        return {"z": Latent(gaussian(masks.float().mean(dim=(2, 3))[:, :, None]), found["z"].prior)}


def test_a_latent_of_another_rater_costs_what_the_other_raters_answer_would():
    found = figures(LatentOfTheRater, "raters", draws=5)
    own = [2 * min(a, b) ** 2 / (a**2 + b**2) - 1 for a, b in ((1, 2), (2, 3), (3, 1))]
    assert found["change of Dice on the rater by z of another rater"] == pytest.approx(np.mean(own))
    mean = [2 * min(2, side) ** 2 / (4 + side**2) - 1 for side in (1, 2, 3)]  # the mean rater's square has side 2
    assert found["change of Dice on the rater by z of the mean rater"] == pytest.approx(np.mean(mean))


def test_a_posterior_that_sees_masks_is_not_what_answers_draw_from_and_is_not_replaced():
    assert not any(name.startswith("change of") for name in figures(SeesMasks, "raters", draws=4))


def test_images_of_one_prior_have_nothing_to_exchange():
    assert not any(name.startswith("change of") for name in figures(KnowsTheRater, "samples", draws=4))
