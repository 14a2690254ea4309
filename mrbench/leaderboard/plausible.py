"""Plausibility: numbers that no method reaches, and that the raters' own masks give."""

from collections.abc import Iterator, Mapping

from mrbench.cards import Direction
from mrbench.leaderboard.entry import Entry, MetricFacts, Score

NEAR = 1e-3
"""A mean so near to the best value that there is: raters disagree, and nobody is right for all of them everywhere."""

AMONG_SAMPLES = "ged_pp"
"""The mean distance of the samples from each other."""


def implausible(
    entry: Entry, protocol: str, scores: Mapping[str, Score], metrics: Mapping[str, MetricFacts]
) -> Iterator[tuple[str, str, str]]:
    """What speaks against an entry: field, expected and found. A human reference may be as good as it likes.

    Args:
        scores: computed from its cases.
    """
    if entry.human:
        return
    for name, score in scores.items():
        best = best_of(metrics[name])
        if best is not None and abs(score.mean - best) <= NEAR:
            expected = f"farther from {best:g}, which the raters' own masks give"
            yield f"scores.{protocol}.{name}.mean", expected, repr(score.mean)
    among = scores.get(AMONG_SAMPLES)
    if protocol == "strict" and entry.sample_count == 1 and among and among.mean > NEAR:
        yield (
            f"scores.{protocol}.{AMONG_SAMPLES}.mean",
            "0, for a single answer is no distance from itself",
            repr(among.mean),
        )


def best_of(facts: MetricFacts) -> float | None:
    """The best value that a metric of tables can take; None where there is no end, or no better."""
    if not facts.table:
        return None
    return {Direction.HIGHER: facts.high, Direction.LOWER: facts.low}.get(facts.direction)
