"""Draws with the latents of another image or rater in place of one's own: what is lost is what they carried.

What a method makes of a site's standard normal noise is known from :class:`~mrbench.interfaces.latents.Latent`: it is
moved so that another distribution's latent comes of it. Axis letters: N slices, R raters, S draws, F classes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Dirichlet, Distribution

from mrbench.diagnostics.drawn import Redraw
from mrbench.diagnostics.figures import Values
from mrbench.diagnostics.information import normal_of
from mrbench.diagnostics.masks import dice_on, distances, mean_of_pairs
from mrbench.diagnostics.names import OTHER_IMAGE, OTHER_RATER, replaced_by
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.noise import Noise


@dataclass(eq=False)
class ReplacedNoise(Noise):
    """Noise that gives one site the latents of another distribution.

    Attributes:
        replaced: the site.
        own, other: what the answer's latent has and gets: distributions of batch ``(N, P)``, and which P is meant.
    """

    replaced: str = ""
    own: tuple[Distribution, int] = field(kw_only=True)
    other: tuple[Distribution, int] = field(kw_only=True)

    def normal(self, site: str, *shape: int, **more: Any) -> Tensor:
        """``(S, N, *shape)``: what becomes a draw of the other one."""
        epsilon = super().normal(site, *shape, **more)
        if site != self.replaced:
            return epsilon
        (mean, deviation), (other_mean, other_deviation) = (_moments(*one) for one in (self.own, self.other))
        return (other_mean + other_deviation * epsilon - mean) / deviation

    def dirichlet(self, site: str, concentration: Tensor, **more: Any) -> Tensor:
        """``(S, N, T)``: a draw of the other one."""
        distribution, place = self.other
        if site == self.replaced and isinstance(distribution, Dirichlet):
            concentration = distribution.concentration[0, place]
        return super().dirichlet(site, concentration, **more)


def _moments(distribution: Distribution, place: int) -> tuple[Tensor, Tensor]:
    normal = normal_of(distribution)
    assert normal is not None
    return normal.loc[:, place], normal.scale[:, place]


def of_another_image(
    latents: Mapping[str, Latent],
    others: Mapping[str, Latent],
    sample: Redraw,
    samples: np.ndarray,
    raters: np.ndarray,
    sites: Iterable[str],
) -> Values:
    """What samples gain in energy score and in distance where a latent is drawn from the prior of another image.

    A latent whose prior is the same for both images has no values.

    Args:
        samples: ``(S, F, bytes)`` packed, with latents of their own.
        raters: ``(R, F, bytes)`` packed, who looked.
    """
    found: dict[str, tuple[float, float]] = {}
    for site in sorted(set(sites) & set(latents) & set(others)):
        own, other = latents[site].prior, others[site].prior
        if _replaceable(own, other) and not _same(own, other):
            drawn = sample(partial(ReplacedNoise, replaced=site, own=(own, 0), other=(other, 0)))
            gains = (of(drawn) - of(samples) for of in (partial(energy_score, raters=raters), spread))
            found |= {replaced_by(what, site, OTHER_IMAGE): (g, 1.0) for what, g in zip(_GAINS, gains, strict=True)}
    return found


_GAINS = ("energy score", "distance of two samples")


def of_another_rater(
    latents: Mapping[str, Latent],
    draws: Sequence[Redraw],
    answers: Sequence[np.ndarray],
    masks: Mapping[int, np.ndarray],
    sites: Iterable[str],
) -> Values:
    """What answers gain in Dice on their rater where a latent is the next rater's, and all else stays the rater's own.

    Args:
        answers: of each of R raters, ``(S, F, bytes)`` packed, with latents of their own.
        masks: of the raters who looked, ``(F, bytes)`` packed.
    """
    found: dict[str, tuple[float, float]] = {}
    for site in sorted(set(sites) & set(latents)):
        q = latents[site].posterior
        if q.batch_shape[1] == len(draws) > 1 and _replaceable(q, q):
            gains = []
            for rater, mask in masks.items():
                other = (q, (rater + 1) % len(draws))
                drawn = draws[rater](partial(ReplacedNoise, replaced=site, own=(q, rater), other=other))
                gains.append(dice_on(drawn, mask) - dice_on(answers[rater], mask))
            found[replaced_by("Dice on the rater", site, OTHER_RATER)] = float(np.mean(gains)), 1.0
    return found


def _replaceable(own: Distribution, other: Distribution) -> bool:
    # Gaussians of one shape and Dirichlets can be put in each other's place.
    if own.event_shape != other.event_shape:
        return False
    gaussian = normal_of(own) is not None and normal_of(other) is not None
    return gaussian or (isinstance(own, Dirichlet) and isinstance(other, Dirichlet))


def same_posteriors(one: Mapping[str, Latent], other: Mapping[str, Latent]) -> bool:
    """Are posteriors the same whatever masks were seen? Then answers, which see none, draw from them."""
    return all(_same(one[site].posterior, other[site].posterior) for site in one)


def _same(one: Distribution, other: Distribution) -> bool:
    first, second = normal_of(one), normal_of(other)
    if first is not None and second is not None:
        return torch.equal(first.loc, second.loc) and torch.equal(first.scale, second.scale)
    if isinstance(one, Dirichlet) and isinstance(other, Dirichlet):
        return torch.equal(one.concentration, other.concentration)
    return False


def spread(samples: np.ndarray) -> float:
    """Mean distance of two different packed samples ``(S, F, bytes)``."""
    return mean_of_pairs(distances(samples))


def energy_score(samples: np.ndarray, raters: np.ndarray) -> float:
    """Fair energy score, mean d(q, y) - d(q, q') / 2, of packed samples ``(S, F, bytes)`` for masks ``(R, F, bytes)``.

    Its expectation depends on neither S nor R; lower is better.
    """
    s = len(samples)
    distance = distances(np.concatenate([samples, raters]))
    return float(distance[:s, s:].mean()) - mean_of_pairs(distance[:s, :s]) / 2
