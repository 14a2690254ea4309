"""One question over several data sets: on how many of them a method is better, worse or equivalent."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mrbench.comparison.differences import Comparison, Difference, Verdict
from mrbench.results.columns import gain
from mrbench.statistics.conjunction import least_counts
from mrbench.statistics.nested import NestedEstimate

HOW = (
    "over data sets: on at least so many of those that were tested (partial conjunction, Benjamini and Heller 2008, "
    "Holm over the methods); undecided: on all others. No mean rank: with few data sets it tells no two methods apart"
)
"""What the counts say, for a note below a table."""


@dataclass(frozen=True)
class Evidence:
    """What one data set says of one method beside its control.

    Attributes:
        better, worse: p of a difference in that direction, two-sided; 1 where it points the other way.
        equivalent: p of two one-sided tests; 1 where there is no margin.
    """

    better: float
    worse: float
    equivalent: float

    @classmethod
    def of(cls, estimate: NestedEstimate, sign: int, margin: float | None) -> "Evidence | None":
        """None where nothing could be tested.

        Args:
            sign: 1 where larger values are better, -1 where smaller ones are.
            margin: below it a difference has no substance.
        """
        if estimate.p is None:
            return None
        p, ahead = estimate.p, sign * estimate.value
        same = estimate.equivalence(margin) if margin else None
        return cls(p if ahead > 0 else 1.0, p if ahead < 0 else 1.0, 1.0 if same is None else same)


@dataclass(frozen=True)
class Tally:
    """Data sets by what is known of them.

    Attributes:
        of: that were tested.
        better, worse, equivalent: on at least so many of them.
        undecided: the others.
    """

    of: int
    better: int
    worse: int
    equivalent: int
    undecided: int

    @property
    def words(self) -> str:
        """The counts in words."""
        counts = (("better", self.better), ("worse", self.worse), (Verdict.EQUIVALENT.value, self.equivalent))
        told = [f"{word} on {n}" for word, n in counts if n]
        told += [f"undecided on {self.undecided}"] if self.undecided else []
        return f"{', '.join(told)} of {self.of} tested" if told else "not tested"


def tallies(methods: Sequence[Mapping[str, Evidence]]) -> list[Tally]:
    """The tally of each method that was asked one question.

    Args:
        methods: of each, the evidence by data set; those that could not be tested are left out.
    """
    counts = {
        name: least_counts([[getattr(one, name) for one in own.values()] for own in methods])
        for name in ("better", "worse", "equivalent")
    }
    return [_tally(own, {name: found[at] for name, found in counts.items()}) for at, own in enumerate(methods)]


def _tally(own: Mapping[str, Evidence], counts: Mapping[str, int]) -> Tally:
    # A small difference may be sure and within the margin: its data set is known, once.
    known = {dataset for name, n in counts.items() for dataset in _smallest(own, name, n)}
    return Tally(len(own), **counts, undecided=len(own) - len(known))


def _smallest(own: Mapping[str, Evidence], name: str, n: int) -> list[str]:
    return sorted(own, key=lambda dataset: getattr(own[dataset], name))[:n]


def over_datasets(comparisons: Sequence[Comparison]) -> dict[str, list[tuple[str, str, Tally]]]:
    """By metric, A, B and the tally of B beside A, of pairs of methods that were compared on several data sets."""
    found: dict[tuple[str, str], dict[tuple[str, str], dict[str, Evidence]]] = {}
    for comparison, difference in _tested(comparisons):
        sign = gain(comparison.metrics[difference.metric])
        evidence = Evidence.of(difference.estimate, sign, difference.margin) if sign else None
        if evidence:
            question = found.setdefault((difference.metric, comparison.a.method), {})
            by_dataset = question.setdefault((comparison.a.method, comparison.b.method), {})
            by_dataset.setdefault(comparison.a.dataset, evidence)
    several = {asked: pairs for asked, pairs in found.items() if any(len(own) > 1 for own in pairs.values())}
    result: dict[str, list[tuple[str, str, Tally]]] = {}
    for (metric, _), pairs in several.items():
        counted = tallies(list(pairs.values()))
        result.setdefault(metric, []).extend((*pair, own) for pair, own in zip(pairs, counted, strict=True))
    return result


def _tested(comparisons: Iterable[Comparison]) -> Iterator[tuple[Comparison, Difference]]:
    """People are no methods: no claim over data sets is made of them."""
    for comparison in comparisons:
        if not (comparison.a.human or comparison.b.human):
            yield from ((comparison, one) for one in comparison.differences)
