"""Draws with other latents in place of one's own: what is lost is what they carried.

The latents are those of another image or rater, as a permutation of the test has it, or are held at the mean over all
images or raters, the aggregate. What a method makes of a site's standard normal noise is known from
:class:`~mrbench.interfaces.latents.Latent`: it is moved so that the other latent comes of it. Axis letters: R raters,
S draws, F classes.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from mrbench.diagnostics.drawn import Redraw
from mrbench.diagnostics.figures import Values
from mrbench.diagnostics.masks import dice_on, distances, mean_of_pairs
from mrbench.diagnostics.names import MEAN_RATER, OTHER_RATER, replaced_by
from mrbench.diagnostics.parameters import Exchange, Known, ReplacedNoise


def in_place_of(
    priors: Known, others: Known, whose: str, sample: Redraw, samples: np.ndarray, raters: np.ndarray
) -> Values:
    """What samples gain in energy score and in distance where a latent is drawn from another prior than the image's.

    A latent whose prior is the same for both has no values.

    Args:
        samples: ``(S, F, bytes)`` packed, with latents of their own.
        raters: ``(R, F, bytes)`` packed, who looked.
    """
    found: dict[str, tuple[float, float]] = {}
    for site in sorted(set(priors) & set(others)):
        own, other = priors[site], others[site]
        if own.fits(other) and not own.equals(other):
            exchange = Exchange((own, 0), (other, 0))
            drawn = sample(partial(ReplacedNoise, replaced={site: exchange}))
            gains = (of(drawn) - of(samples) for of in (partial(energy_score, raters=raters), spread))
            found |= {replaced_by(what, site, whose): (g, 1.0) for what, g in zip(_GAINS, gains, strict=True)}
    return found


_GAINS = ("energy score", "distance of two samples")


def of_another_rater(
    posteriors: Known, draws: Sequence[Redraw], answers: Sequence[np.ndarray], masks: Mapping[int, np.ndarray]
) -> Values:
    """What answers gain in Dice on their rater where a latent is the next rater's, or held at the mean of all raters'.

    Args:
        answers: of each of R raters, ``(S, F, bytes)`` packed, with latents of their own.
        masks: of the raters who looked, ``(F, bytes)`` packed.
    """
    found: dict[str, tuple[float, float]] = {}
    for site, whose, exchanges in _between_raters(posteriors, len(draws)):
        gains = []
        for rater, mask in masks.items():
            drawn = draws[rater](partial(ReplacedNoise, replaced={site: exchanges[rater]}))
            gains.append(dice_on(drawn, mask) - dice_on(answers[rater], mask))
        found[replaced_by("Dice on the rater", site, whose)] = float(np.mean(gains)), 1.0
    return found


def _between_raters(posteriors: Known, raters: int) -> Iterator[tuple[str, str, list[Exchange]]]:
    for site, q in sorted(posteriors.items()):
        if q.number == raters > 1:
            mean = q.held_at(q.mean.mean(dim=1, keepdim=True))
            yield site, OTHER_RATER, [Exchange((q, r), (q, (r + 1) % raters)) for r in range(raters)]
            yield site, MEAN_RATER, [Exchange((q, r), (mean, 0)) for r in range(raters)]


def of_posteriors(priors: Known, posteriors: Known, sample: Redraw) -> np.ndarray | None:
    """``(R, S, F, bytes)`` samples whose latents are all drawn from what is believed after a rater was seen.

    None where some latent's posteriors are none of R raters, or its prior is another one for each.
    """
    raters = max((q.number for q in posteriors.values()), default=1)
    numbers = {(priors[site].number, q.number) for site, q in posteriors.items()}
    if raters == 1 or numbers != {(1, raters)}:
        return None
    each = [{site: Exchange((priors[site], 0), (q, r)) for site, q in posteriors.items()} for r in range(raters)]
    return np.stack([sample(partial(ReplacedNoise, replaced=own)) for own in each])


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
