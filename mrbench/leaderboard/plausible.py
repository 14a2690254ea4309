"""Plausibility: numbers that no method reaches, and that the raters' own masks give."""

from collections.abc import Iterator, Mapping

from mrbench.cards import Direction
from mrbench.leaderboard.entry import Entry, MetricFacts, Score
from mrbench.results.plausible import IDENTICAL

NEAR = 1e-3
"""A mean so near to the best value that there is: raters disagree, and nobody is right for all of them everywhere."""

OF_MASKS = (
    "ged", "ged@raters", "dice_max", "dice_max@raters", "dice_max_reverse", "dice_match", "dice_match@raters",
    "dice_soft", "dice_soft@raters", "dice_rater", "dice_rank", "dice_rater_mean", "iou", "hd95",
)  # fmt: skip
"""Metrics that are at their best where predictions are the raters' masks, and nowhere else."""

AMONG_SAMPLES = "ged_pp"
"""The mean distance of the samples from each other."""

SAME = 1e-9
"""Of samples whose mean distance is smaller none differs from another."""


def doubts(entry: Entry, scores: Mapping[str, Score]) -> tuple[str, ...]:
    """What a reader must know of external predictions, by their scores under ``strict``."""
    among, several = scores.get(AMONG_SAMPLES), (entry.sample_count or 1) > 1
    return (IDENTICAL,) if entry.kind == "external" and several and among and among.mean <= SAME else ()


def implausible(
    entry: Entry, protocol: str, scores: Mapping[str, Score], metrics: Mapping[str, MetricFacts]
) -> Iterator[tuple[str, str, str]]:
    """What speaks against an entry: field, expected and found. A human reference may be as good as it likes.

    Args:
        scores: computed from its cases.
    """
    if entry.human:
        return
    for name in (name for name in OF_MASKS if name in scores):
        score, facts = scores[name], metrics[name]
        best = facts.low if facts.direction is Direction.LOWER else facts.high
        if best is not None and abs(score.mean - best) <= NEAR and score.cases >= score.of_cases:
            expected = f"farther from {best:g}, which the raters' own masks give"
            yield f"scores.{protocol}.{name}.mean", expected, repr(score.mean)
    among = scores.get(AMONG_SAMPLES)
    if protocol == "strict" and entry.sample_count == 1 and among and among.mean > NEAR:
        yield (
            f"scores.{protocol}.{AMONG_SAMPLES}.mean",
            "0, for a single answer is no distance from itself",
            repr(among.mean),
        )
