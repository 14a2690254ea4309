"""A question is one metric on one data set: the p of its pairs are corrected together, those with people apart."""

from collections.abc import Sequence
from dataclasses import replace

from mrbench.comparison.differences import Comparison, Difference
from mrbench.statistics.correction import holm


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with p corrected by Holm over the pairs of each metric and data set.

    Pairs with human references are a question of their own: they cost methods no power.
    """
    questions: dict[tuple[str, str, bool], list[Difference]] = {}
    for comparison in comparisons:
        for difference in comparison.differences:
            people = comparison.a.human or comparison.b.human
            questions.setdefault((comparison.a.dataset, difference.metric, people), []).append(difference)
    found: dict[int, float] = {}
    for asked in questions.values():
        tested = [(id(one), one.estimate.p) for one in asked if one.estimate.p is not None]
        found |= zip([place for place, _ in tested], holm([p for _, p in tested]), strict=True)
    return [
        replace(one, differences=[replace(d, corrected=found.get(id(d))) for d in one.differences])
        for one in comparisons
    ]
