"""The draws of one case, made again from the weights, as packed masks.

Axis letters: R raters, S draws, F = K - 1 foreground classes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from mrbench.cards import Capability
from mrbench.diagnostics.masks import packed
from mrbench.engine.draws import ImageAnswers, MakeNoise, Source
from mrbench.interfaces.method import Method
from mrbench.interfaces.noise import Noise

Redraw = Callable[[MakeNoise], np.ndarray]
"""``(S, F, bytes)``: S draws of one answer from some noise."""


def redrawn(seeds: Mapping[str, int]) -> MakeNoise:
    """Noise with some sites under other seeds."""
    return partial(Noise, seeds=seeds)


def own_samples(source: Source) -> bool:
    """Does it draw samples that are not those of a random rater?"""
    return Capability.DIVERSE in source.card.capabilities and type(source.method).sample is not Method.sample


def answers_as_raters(source: Source) -> bool:
    """Are there answers in the style of each rater, shown or behind the samples?"""
    own = type(source.method).as_rater is not Method.as_rater
    return own and (Capability.PERSONAL in source.card.capabilities or not own_samples(source))


def redraws(source: Source, answers: ImageAnswers, draws: int) -> tuple[Redraw | None, list[Redraw]]:
    """What draws the samples, and what draws each of the R raters' answers; None and none where there are none such."""
    raters = range(source.method.description.n_raters if answers_as_raters(source) else 0)
    sample = partial(_samples, answers, range(draws)) if own_samples(source) else None
    return sample, [partial(_of_rater, answers, rater, range(draws)) for rater in raters]


def _samples(answers: ImageAnswers, numbers: Sequence[int], noise: MakeNoise) -> np.ndarray:
    return packed(np.stack([draw.probability for draw in answers.from_noise(noise).samples(numbers)]))


def _of_rater(answers: ImageAnswers, rater: int, numbers: Sequence[int], noise: MakeNoise) -> np.ndarray:
    return packed(answers.from_noise(noise).of_rater(rater, numbers))
