"""All tests of a command are one family: their p-values are corrected together."""

from collections.abc import Sequence
from dataclasses import replace

from mrbench.comparison.differences import Comparison, Difference
from mrbench.comparison.paired_tests import TESTS
from mrbench.statistics.correction import holm


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with the p of every test corrected by Holm, over all pairs, metrics and data sets."""
    found = [difference for comparison in comparisons for difference in comparison.differences]
    by_place: dict[int, dict[str, float]] = {id(difference): {} for difference in found}
    for name in TESTS:
        tested = [(difference, p) for difference in found if (p := p_of(difference, name)) is not None]
        for (difference, _), p in zip(tested, holm([p for _, p in tested]), strict=True):
            by_place[id(difference)][name] = p
    return [
        replace(comparison, differences=[replace(d, corrected=by_place[id(d)]) for d in comparison.differences])
        for comparison in comparisons
    ]


def p_of(difference: Difference, test: str) -> float | None:
    """The uncorrected p of a test; None where there is none."""
    return difference.tests[test].p if test in difference.tests else None


def size(comparisons: Sequence[Comparison], test: str) -> int:
    """How many tests the correction is for."""
    return sum(test in difference.corrected for comparison in comparisons for difference in comparison.differences)
