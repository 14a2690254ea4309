"""Distributions that one can be put in another's place, by their parameters: Gaussians and Dirichlets.

Axis letters: N slices, P distributions of each (1, or one per rater), E elements of a latent.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Dirichlet, Distribution

from mrbench.diagnostics.information import normal_of
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.noise import Noise


@dataclass(frozen=True, eq=False)
class Parameters:
    """Of N slices.

    Attributes:
        location: ``(N, P, *E)`` means of Gaussians, or concentrations.
        deviation: of Gaussians, same shape; None: Dirichlets.
        held: a draw is the mean, always.
    """

    location: Tensor
    deviation: Tensor | None
    held: bool = False

    @property
    def number(self) -> int:
        """P."""
        return self.location.shape[1]

    @property
    def mean(self) -> Tensor:
        """``(N, P, *E)``."""
        return self.location if self.deviation is not None else self.location / self.location.sum(-1, keepdim=True)

    def held_at(self, mean: Tensor) -> "Parameters":
        """A latent of this family that is ``mean``, ``(N', P', *E)``, and nothing else."""
        return Parameters(mean, None if self.deviation is None else torch.zeros_like(mean), held=True)

    def equals(self, other: "Parameters") -> bool:
        """Are they the same, bit by bit?"""
        return self.fits(other) and all(a.equal(b) for a, b in zip(self._tensors, other._tensors, strict=True))

    def repeats_in(self, other: "Parameters") -> bool:
        """Is every slice of the other one this one's first?"""
        pairs = zip(self._tensors, other._tensors, strict=True)
        return self.fits(other) and all(bool((a[:1] == b).all()) for a, b in pairs)

    @property
    def _tensors(self) -> list[Tensor]:
        return [self.location] if self.deviation is None else [self.location, self.deviation]

    def fits(self, other: "Parameters") -> bool:
        """Can the other's latent stand in for this one's: one family, one shape of a latent?"""
        same_family = (self.deviation is None) == (other.deviation is None)
        return same_family and self.location.shape[2:] == other.location.shape[2:]


def parameters_of(distribution: Distribution) -> Parameters | None:
    """None of a distribution that is neither."""
    if isinstance(distribution, Dirichlet):
        return Parameters(distribution.concentration, None)
    normal = normal_of(distribution)
    return None if normal is None else Parameters(normal.loc, normal.scale)


Known = Mapping[str, Parameters]
"""By site."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What is believed of the latents of a case that can be put in another's place.

    Attributes:
        priors, posteriors: of the same sites.
        complete: are these all latents that there are?
    """

    priors: Known
    posteriors: Known
    complete: bool

    @property
    def shared(self) -> Known:
        """Priors that are one for all raters."""
        return {site: prior for site, prior in self.priors.items() if prior.number == 1}

    def at(self, sites: Container[str]) -> "Beliefs":
        """Those of some sites."""
        priors, posteriors = (
            {site: one for site, one in known.items() if site in sites} for known in (self.priors, self.posteriors)
        )
        return Beliefs(priors, posteriors, self.complete)


def beliefs_of(chunks: Sequence[Mapping[str, Latent]]) -> Beliefs:
    """What is said of the chunks of a case's slices, together."""
    found: tuple[dict[str, Parameters], dict[str, Parameters]] = {}, {}
    for site in chunks[0]:
        latents = [chunk[site] for chunk in chunks]
        both = [[parameters_of(getattr(one, which)) for one in latents] for which in ("prior", "posterior")]
        for known, parts in zip(found, both, strict=True):
            if all(part is not None for every in both for part in every):
                known[site] = joined([part for part in parts if part is not None])
    return Beliefs(*found, complete=len(found[0]) == len(chunks[0]))


def joined(parts: Sequence[Parameters]) -> Parameters:
    """Those of all slices of a volume, from those of its chunks."""
    deviations = [one.deviation for one in parts if one.deviation is not None]
    return Parameters(torch.cat([one.location for one in parts]), torch.cat(deviations) if deviations else None)


@dataclass(frozen=True, eq=False)
class Exchange:
    """What an answer's latent is drawn from, and what it is to be drawn from.

    Attributes:
        own, other: and which P of each is meant.
    """

    own: tuple[Parameters, int]
    other: tuple[Parameters, int]


@dataclass(eq=False)
class ReplacedNoise(Noise):
    """Noise that gives some sites the latents of other distributions.

    A volume's slices take those of the other one's slices at the same relative height.

    Attributes:
        replaced: by site.
    """

    replaced: Mapping[str, Exchange] = field(default_factory=dict)

    def normal(self, site: str, *shape: int, **more: Any) -> Tensor:
        """``(S, N, *shape)``: what becomes a draw of the other one."""
        epsilon = super().normal(site, *shape, **more)
        if site not in self.replaced:
            return epsilon
        (mean, deviation), (other_mean, other_deviation) = self._moments(self.replaced[site])
        return (other_mean + other_deviation * epsilon - mean) / deviation

    def _moments(self, exchange: Exchange) -> list[tuple[Tensor, Tensor]]:
        length, slices, found = len(exchange.own[0].location), list(self.rows.slices), []
        for parameters, place in (exchange.own, exchange.other):
            assert parameters.deviation is not None
            at = [number * len(parameters.location) // length for number in slices]
            found.append((parameters.location[at, place], parameters.deviation[at, place]))
        return found

    def dirichlet(self, site: str, concentration: Tensor, **more: Any) -> Tensor:
        """``(S, N, T)``: a draw of the other one."""
        if site not in self.replaced:
            return super().dirichlet(site, concentration, **more)
        other, place = self.replaced[site].other
        drawn = super().dirichlet(site, other.location[0, place], **more)
        return other.location[0, place].expand_as(drawn) if other.held else drawn


class MeanPriors:
    """The mean over all slices of all images of each latent's prior mean."""

    def __init__(self) -> None:
        self._first: dict[str, Parameters] = {}
        self._means: dict[str, list[Tensor]] = {}
        self._moving: set[str] = set()

    def add(self, site: str, prior: Parameters) -> None:
        """Adds an image's prior."""
        first = self._first.setdefault(site, prior)
        self._means.setdefault(site, []).append(prior.mean.double().mean(dim=0, keepdim=True))
        if not first.repeats_in(prior):
            self._moving.add(site)

    def held(self, site: str) -> Parameters | None:
        """A latent that is that mean, ``(1, P, *E)``; None where the prior never moves, or its shape does."""
        means = self._means.get(site, [])
        if site not in self._moving or len({mean.shape for mean in means}) > 1:
            return None
        return self._first[site].held_at(torch.stack(means).mean(dim=0).to(self._first[site].location))
