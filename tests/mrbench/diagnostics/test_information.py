"""Monte Carlo from the densities finds what closed forms say; what is known of the rater lies in [0, ln R]."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Dirichlet, Distribution, Independent, Normal, kl_divergence

from mrbench.diagnostics.information import ActiveElements, check_latents, information
from mrbench.errors import PluginError
from mrbench.interfaces.latents import Latent

EVERYBODY = torch.ones(2, 4, dtype=torch.bool)


def normal(mean: Tensor, deviation: float = 1.0) -> Distribution:
    """Over the last axis."""
    return Independent(Normal(mean, torch.full_like(mean, deviation), validate_args=False), 1, validate_args=False)


def means(*per_rater: float, slices: int = 2, size: int = 3) -> Tensor:
    """``(N, R, E)``: all elements of a rater's mean are one number."""
    return torch.tensor(per_rater)[None, :, None].expand(slices, -1, size)


def found(latent: Latent, present: Tensor = EVERYBODY, draws: int = 4000) -> tuple[list[float], list[float]]:
    result = information(latent, present, 0, draws)
    return result.divergence.tolist(), result.of_rater.tolist()


def test_the_divergence_of_gaussians_is_that_of_the_closed_form():
    q, p = normal(means(0.0, 0.5, 1.0, 2.0), 0.7), normal(means(0.3))
    exact = kl_divergence(q.base_dist, p.base_dist).sum(dim=2).mean(dim=1)
    assert found(Latent(q, p))[0] == pytest.approx(exact.tolist(), rel=0.03)


def test_the_divergence_of_dirichlets_is_that_of_the_closed_form():
    concentration = torch.tensor([[1.0, 2, 3], [3, 1, 1], [2, 2, 2], [1, 1, 4]]).expand(2, 4, 3)
    q, p = Dirichlet(concentration), Dirichlet(torch.ones(2, 1, 3))
    exact = kl_divergence(q, p.expand((2, 4))).mean(dim=1)
    assert found(Latent(q, p))[0] == pytest.approx(exact.tolist(), rel=0.05)


def test_a_posterior_that_identifies_the_rater_knows_ln_r():
    q = normal(means(0.0, 10, 20, 30), 0.1)
    assert found(Latent(q, normal(means(0.0), 20.0)))[1] == pytest.approx([math.log(4)] * 2, abs=1e-5)


def test_a_posterior_that_is_the_same_for_all_raters_knows_nothing_of_them_whatever_its_divergence():
    divergence, of_rater = found(Latent(normal(means(2.0, 2, 2, 2)), normal(means(0.0))))
    assert of_rater == pytest.approx([0, 0], abs=1e-5)
    assert divergence == pytest.approx([6, 6], rel=0.05)


def test_two_pairs_of_raters_that_are_told_apart_are_ln_two():
    assert found(Latent(normal(means(0.0, 0, 30, 30)), normal(means(0.0))))[1] == pytest.approx([math.log(2)] * 2)


def test_what_is_known_of_the_rater_is_never_more_than_the_divergence_nor_than_ln_r():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        q = normal(torch.randn(2, 4, 3, generator=generator), 0.5)
        divergence, of_rater = found(Latent(q, normal(means(0.0))), draws=200)
        assert all(-0.02 < known <= math.log(4) + 1e-5 for known in of_rater)
        assert all(known < whole + 0.3 for known, whole in zip(of_rater, divergence, strict=True))


def test_a_collapsed_posterior_carries_nothing_however_far_its_prior_moves():
    prior = torch.tensor([-5.0, 5.0])[:, None, None].expand(2, 1, 3)
    latent = Latent(normal(prior.expand(2, 4, 3)), normal(prior))
    divergence, of_rater = found(latent)
    assert divergence == pytest.approx([0, 0], abs=1e-5)
    assert of_rater == pytest.approx([0, 0], abs=1e-5)
    active = ActiveElements()
    active.add(latent, EVERYBODY)
    assert active.count() == (0, 3)


def test_absent_raters_count_nothing_and_a_slice_of_nobody_has_no_value():
    present = torch.tensor([[True, True, False, False], [False] * 4])
    divergence, of_rater = found(Latent(normal(means(0.0, 30, 90, math.nan)), normal(means(0.0), 30.0)), present)
    assert of_rater[0] == pytest.approx(math.log(2), abs=1e-5)
    assert math.isnan(divergence[1])
    assert math.isnan(of_rater[1])


def test_one_posterior_of_all_raters_has_a_divergence_and_knows_no_rater():
    divergence, of_rater = found(Latent(normal(means(1.0)), normal(means(0.0))))
    assert divergence == pytest.approx([1.5, 1.5], rel=0.1)
    assert all(map(math.isnan, of_rater))


def test_an_element_is_active_where_its_mean_moves_and_diverges():
    # Of four: dead; far from the prior but always at one place; moving; moving too little.
    shifts = torch.tensor([[[0.0, 1, -1, 0.01]] * 4, [[0.0, 1, 1, -0.01]] * 4])
    active = ActiveElements()
    active.add(Latent(normal(shifts), normal(torch.zeros(2, 1, 4))), EVERYBODY)
    assert active.count() == (1, 4)


def test_only_gaussians_of_one_shape_have_active_elements():
    dirichlet, shapes = ActiveElements(), ActiveElements()
    dirichlet.add(Latent(Dirichlet(torch.ones(2, 4, 3)), Dirichlet(torch.ones(2, 1, 3))), EVERYBODY)
    for size in (3, 5):
        shapes.add(Latent(normal(means(0.0, 1, 2, 3, size=size)), normal(means(0.0, size=size))), EVERYBODY)
    assert (dirichlet.count(), shapes.count(), ActiveElements().count()) == (None, None, None)


def test_draws_derive_from_the_seed_and_leave_the_global_generator_alone():
    latent = Latent(normal(means(0.0, 1, 2, 3)), normal(means(0.0)))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (information(latent, EVERYBODY, seed, 8).divergence for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_blocks_of_draws_change_no_number_of_draws(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mrbench.diagnostics.information.AT_ONCE", 200)
    q, p = normal(means(0.0, 0.5, 1.0, 2.0), 0.7), normal(means(0.3))
    exact = kl_divergence(q.base_dist, p.base_dist).sum(dim=2).mean(dim=1)
    assert found(Latent(q, p))[0] == pytest.approx(exact.tolist(), rel=0.03)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([1], "encode() gives no latents"),
        ({"z": normal(means(0.0))}, "encode() gives no latents"),
        ({"z": Latent(normal(means(0.0, 1)), normal(means(0.0)))}, "a wrong shape for 'z'"),
        ({"z": Latent(normal(means(0.0, 1, 2, 3)), normal(means(0.0, size=2)))}, "a wrong shape for 'z'"),
        ({"z": Latent(normal(means(0.0)), normal(means(0.0, 1, 2, 3)))}, "a wrong shape for 'z'"),
    ],
)
def test_what_are_no_latents_of_these_slices_and_raters_is_refused_with_its_place(given: object, said: str):
    with pytest.raises(PluginError, match=r"method\.py:7") as error:
        check_latents(given, EVERYBODY, "method.py:7")
    assert said in error.value.what


def test_where_each_rater_has_a_prior_of_its_own_the_mean_posterior_has_no_divergence_from_it():
    q, one, own = normal(means(0.0, 1, 2, 3)), normal(means(0.0)), normal(means(0.0, 0, 0, 0))
    first, second = (information(Latent(q, p), EVERYBODY, 0, 200) for p in (one, own))
    assert torch.equal(first.divergence, second.divergence)
    assert first.beyond.tolist() == (first.divergence - first.of_rater).tolist()
    assert second.beyond.isnan().all()
