"""What can be put in another latent's place, and what the mean of many priors is."""

import pytest
import torch
from torch.distributions import Dirichlet, Independent, LogNormal, Normal

from mrbench.diagnostics.parameters import Exchange, MeanPriors, Parameters, ReplacedNoise, beliefs_of, parameters_of
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.noise import Rows


def gaussian(*means: float) -> Parameters:
    """One slice for each mean, of one element."""
    location = torch.tensor(means)[:, None, None]
    return Parameters(location, torch.ones_like(location))


def noise(exchange: Exchange, draws: int, slices: int) -> ReplacedNoise:
    rows = Rows(3, "case", DrawKind.SAMPLE, None, range(draws), range(slices))
    return ReplacedNoise(rows, torch.device("cpu"), replaced={"z": exchange})


def test_gaussians_and_dirichlets_have_parameters_and_others_are_told_of():
    normal = Independent(Normal(torch.zeros(1, 1, 2), torch.ones(1, 1, 2)), 1)
    other = Independent(LogNormal(torch.zeros(1, 1, 2), torch.ones(1, 1, 2)), 1)
    assert parameters_of(normal).number == 1
    assert parameters_of(Dirichlet(torch.ones(1, 4, 3))).number == 4
    assert parameters_of(other) is None
    found = beliefs_of([{"z": Latent(normal, normal), "odd": Latent(other, other)}])
    assert (set(found.priors), set(found.posteriors), found.complete) == ({"z"}, {"z"}, False)


def test_chunks_of_a_volume_are_joined_in_their_order():
    chunks = [
        {"z": Latent(*2 * [Independent(Normal(torch.full((n, 1, 1), float(n)), torch.ones(n, 1, 1)), 1)])}
        for n in (1, 2)
    ]
    assert beliefs_of(chunks).priors["z"].location.flatten().tolist() == [1, 2, 2]


def test_the_mean_is_over_slices_of_images_that_count_alike_and_is_held():
    means = MeanPriors()
    for one in (gaussian(1.0), gaussian(3.0, 5.0)):
        means.add("z", one)
    held = means.held("z")
    assert held is not None
    own = gaussian(7.0, 9.0)
    epsilon = noise(Exchange((own, 0), (held, 0)), draws=5, slices=2).normal("z", 1)
    assert (torch.tensor([7.0, 9.0])[:, None] + epsilon).unique().tolist() == [2.5]  # (1 + (3 + 5) / 2) / 2


def test_a_prior_that_never_moves_or_changes_its_shape_has_no_mean():
    means = MeanPriors()
    for _ in range(2):
        means.add("still", gaussian(1.0, 1.0))
    for size in (1, 2):
        means.add("maps", Parameters(torch.rand(1, 1, size), torch.ones(1, 1, size)))
    assert [means.held(site) for site in ("still", "maps", "unknown")] == 3 * [None]


def test_a_dirichlet_is_held_at_its_mean_or_drawn_as_another_one():
    own, other = (Parameters(torch.tensor([[each]]), None) for each in ([1.0, 1.0], [3.0, 1.0]))
    held = own.held_at(other.mean)
    drawn = noise(Exchange((own, 0), (held, 0)), draws=4, slices=1).dirichlet("z", torch.ones(2))
    assert drawn.flatten(0, 1).unique(dim=0).tolist() == [[0.75, 0.25]]
    drawn = noise(Exchange((own, 0), (other, 0)), draws=2000, slices=1).dirichlet("z", torch.ones(2))
    assert drawn.mean(dim=0)[0].tolist() == pytest.approx([0.75, 0.25], abs=0.02)
