"""What of a diagnosis a reader must know before comparing: latents that do nothing, a phrase each."""

from collections.abc import Iterator, Mapping

from mrbench.diagnostics.figures import Figure
from mrbench.diagnostics.names import DIVERGENCE, PEOPLE, RATERS, TOTAL, TOTAL_EFFECT, WITHIN

ALIKE = 0.1
"""Below this share of the raters' own distance, two samples are one drawn again."""

INERT_WITHIN = 0.05
"""Below this share of all distance, what is random within a rater does nothing."""

INERT_SITE = 0.01
"""Below this share of the distance of two draws, a source of noise does nothing."""

COLLAPSED = 0.01
"""Below this divergence in nats, a posterior is its prior whatever it was shown."""


def verdicts(figures: Mapping[str, Figure]) -> tuple[str, ...]:
    """The caveats of a row; none where nothing was diagnosed."""
    return tuple(_found({name: one.value for name, one in figures.items() if one.value is not None}))


def _found(values: Mapping[str, float]) -> Iterator[str]:
    people = values.get(PEOPLE, 0.0)
    for name in (TOTAL, RATERS):
        if name in values and values[name] < ALIKE * people:
            yield f"inert: {name} {values[name]:.3f}, of people {people:.3f}"
    for name, value in values.items():
        if name.startswith(TOTAL_EFFECT) and value < INERT_SITE:
            yield f"inert: {name} {value:.2%}"
        if name.startswith(DIVERGENCE) and value < COLLAPSED:
            yield f"collapsed: {name} {value:.2g} nats"
    if WITHIN in values and 0 < values[WITHIN] < INERT_WITHIN:
        yield f"inert within a rater: {values[WITHIN]:.1%} of the distance"
