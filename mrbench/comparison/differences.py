"""Paired differences: what B gives beyond A on the cases that both have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import nan
from typing import TYPE_CHECKING, Any

from mrbench.cards import MetricCard, Need
from mrbench.comparison.pairs import Pair
from mrbench.errors import IncompatibleError
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.results.columns import gain
from mrbench.results.margins import margin_of
from mrbench.results.method_run import MethodRun
from mrbench.results.pairing import Paired
from mrbench.results.reader import ScoreReader
from mrbench.statistics.correction import LEVEL
from mrbench.statistics.nested import NestedEstimate, nested_difference
from mrbench.statistics.placements import Superiority, superiority

if TYPE_CHECKING:
    import pandas as pd


class Verdict(StrEnum):
    """What the data say of a difference."""

    DIFFERS = "differs"
    """Its p, corrected, is below 5 %."""
    EQUIVALENT = "equivalent"
    """Whatever it is, it is smaller than the margin: the 90 % interval lies within."""
    UNDECIDED = "undecided"
    """Neither: more subjects or trainings may tell. Never a sign that both are the same."""


@dataclass(frozen=True)
class Difference:
    """One metric of a comparison.

    Attributes:
        a, b: mean over the folds, on what both have.
        estimate: B - A with what other subjects and other trainings leave open.
        better: how often B is better; None where no direction is better or the difference is no result.
        margin: below it a difference has no substance; None where nobody has argued one.
        cases: pairs.
        without_partner: cases of A and of B that the other does not have, in the folds that both have.
        corrected: p, corrected for the pairs of the question; None where there is none.
        flags: what a reader must know of it.
    """

    metric: str
    a: float
    b: float
    estimate: NestedEstimate
    better: Superiority | None
    margin: float | None
    cases: int
    without_partner: tuple[int, int]
    corrected: float | None = None
    flags: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict | None:
        """What the data say; None where nothing can be tested."""
        if self.corrected is None:
            return None
        if self.corrected < LEVEL:
            return Verdict.DIFFERS
        return Verdict.EQUIVALENT if self.margin and self.estimate.within(self.margin) else Verdict.UNDECIDED


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two methods on one data set.

    Attributes:
        protocol: the scoring protocol of both.
        metrics: cards of those that are compared.
        alone: metrics that only one of them has.
        notes: what a reader must know of it.
        mixed: what differs between the data and splits of the two.
    """

    a: MethodRun
    b: MethodRun
    protocol: ScoringProtocol
    metrics: Mapping[str, MetricCard]
    differences: Sequence[Difference]
    alone: Sequence[str]
    notes: Sequence[str]
    mixed: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"<Comparison of {self.b.title} with {self.a.title} on {self.a.dataset}>"

    def to_pandas(self) -> "pd.DataFrame":
        """The differences as a frame: a row per metric; what has no value is missing.

        Columns: ``a``, ``b``, ``difference`` (B less A), ``low``, ``high`` (95 % interval), ``p`` (corrected),
        ``verdict``, ``margin``, ``subjects_better`` (chance that B is better on a subject), ``trainings_better`` of
        ``trainings`` (pairs of trainings in which B is better), ``cases``, ``flags``.
        """
        import pandas as pd

        index = pd.Index([one.metric for one in self.differences], name="metric")
        return pd.DataFrame([_facts(one) for one in self.differences], index=index, columns=list(FACTS))


FACTS = (
    "a", "b", "difference", "low", "high", "p", "verdict", "margin", "subjects_better", "trainings_better", "trainings",
    "cases", "flags",
)  # fmt: skip
"""Columns of the frame of a comparison."""


def _facts(one: Difference) -> dict[str, Any]:
    interval, better = one.estimate.interval(), one.better
    return {
        "a": one.a,
        "b": one.b,
        "difference": one.estimate.value,
        "low": interval.low if interval else nan,
        "high": interval.high if interval else nan,
        "p": nan if one.corrected is None else one.corrected,
        "verdict": one.verdict.value if one.verdict else None,
        "margin": nan if one.margin is None else one.margin,
        "subjects_better": better.subjects.value if better else nan,
        "trainings_better": better.better if better else nan,
        "trainings": better.pairs if better else nan,
        "cases": one.cases,
        "flags": "; ".join(one.flags),
    }


def compare(pair: Pair, reader: ScoreReader, *, allow_mixed: bool = False) -> Comparison:
    """Every metric that both methods have, on the folds and cases that both have.

    Where other data or splits are allowed, they are said in a note, and nothing is tested.

    Args:
        allow_mixed: compare on other data or splits too.

    Raises:
        UnknownNameError: a metric that is not installed.
        IncompatibleError: other data or splits, or scores of another protocol that cannot be computed again.
        DataError: a file that cannot be read.
    """
    if not allow_mixed:
        pair.check_same_data()
    cards = reader.records(pair.a)
    a, b = reader.scores(pair.a), reader.scores(pair.b)
    differences = []
    for name, card in cards.items():
        if name in a.folds and name in b.folds:
            paired = Paired.of(a.folds[name], b.folds[name], reader.load(name), reader.protocol)
            if paired:
                differences.append(_difference(pair, card, name, paired, reader))
    compared = {difference.metric for difference in differences}
    alone = [name for name in cards if (name in a.folds or name in b.folds) and name not in compared]
    faults = dict.fromkeys([*a.faults, *b.faults])
    notes = [*_notes(pair, (a.run, b.run), differences), *faults]
    return Comparison(pair.a, pair.b, reader.protocol, cards, differences, alone, notes, pair.mixed)


def check_something(comparisons: Sequence[Comparison]) -> None:
    """Refuses a comparison of nothing.

    Raises:
        IncompatibleError: no pair has a metric and a case in common.
    """
    if not any(comparison.differences for comparison in comparisons):
        notes = [note for comparison in comparisons for note in (*_alone(comparison), *comparison.notes)]
        raise IncompatibleError(
            "nothing can be compared: no metric has a case that both have",
            found="; ".join(dict.fromkeys(notes)),
            hint="--against METHOD compares with another one, --letters all pairs" if len(comparisons) > 1 else "",
        )


def _alone(comparison: Comparison) -> Iterator[str]:
    if comparison.alone:
        yield f"only one of them has {', '.join(comparison.alone)}"


def _difference(pair: Pair, card: MetricCard, name: str, paired: Paired, reader: ScoreReader) -> Difference:
    a, b = paired.means
    samples = _samples(pair, card, reader)
    reason = f"S differs: {samples[0]} and {samples[1]}; --samples {min(samples)}" if len({*samples}) > 1 else ""
    reason = "other data or splits" if pair.mixed else reason
    how: Any = {"trained": (pair.a.trained, pair.b.trained), "shared": pair.a.shares_trainings(pair.b)}
    return Difference(
        metric=name,
        a=a,
        b=b,
        estimate=NestedEstimate(b - a, {}, reason=reason) if reason else nested_difference(paired.a, paired.b, **how),
        better=None if reason or not gain(card) else superiority(paired.a, paired.b, sign=gain(card), **how),
        margin=margin_of(name, pair.a, reader),
        cases=paired.cases,
        without_partner=paired.without_partner,
        flags=tuple(_flags(reason, paired)),
    )


def _samples(pair: Pair, card: MetricCard, reader: ScoreReader) -> list[int]:
    """S of A and B, where the metric depends on it."""
    if card.needs is not Need.SAMPLES:
        return []
    return [found for run in (pair.a, pair.b) if (found := reader.samples_of(run)) is not None]


def _flags(reason: str, paired: Paired) -> Iterator[str]:
    if reason:
        yield reason
    if not paired.same_columns:
        yield "classes and raters that only one of them has are left out"
    if paired.cases < paired.of_cases:
        yield f"n {paired.cases}/{paired.of_cases}"


def _notes(pair: Pair, read: Sequence[MethodRun], differences: Sequence[Difference]) -> Iterator[str]:
    yield from pair.mixed
    if pair.a.digest == pair.b.digest:
        yield "A and B are one configuration: what differs between them is their trainings alone"
    folds = [{result.spec.fold for result in row.done} for row in read]
    if folds[0] != folds[1]:
        yield f"folds of both: {_listed(folds[0] & folds[1])}; of A: {_listed(folds[0])}; of B: {_listed(folds[1])}"
    if pair.a.shares_trainings(pair.b):
        yield "A and B use the same trainings: differences are taken training by training"
    yield from _without_partner(differences)
    for letter, run in zip("AB", read, strict=True):
        yield from (f"{letter}: {run.method} {line}" for line in run.failures)
    yield from _untested(differences)


def _untested(differences: Sequence[Difference]) -> Iterator[str]:
    """Why metrics have neither interval nor p, where no flag says it."""
    reasons: dict[str, list[str]] = {}
    for one in differences:
        if one.estimate.reason and one.estimate.reason not in one.flags:
            reasons.setdefault(one.estimate.reason, []).append(one.metric)
    for reason, metrics in reasons.items():
        of = "" if len(metrics) == len(differences) else f" ({', '.join(metrics)})"
        yield f"no interval and no test: {reason}{of}"


def _without_partner(differences: Sequence[Difference]) -> Iterator[str]:
    counts = dict.fromkeys(d.without_partner for d in differences)
    for a, b in counts:
        metrics = [d.metric for d in differences if d.without_partner == (a, b)]
        if a or b:
            of = "" if len(counts) == 1 else f" ({', '.join(metrics)})"
            yield f"cases that only one of them has: {a} of A, {b} of B{of}"


def _listed(folds: set[int]) -> str:
    return ", ".join(map(str, sorted(folds))) or "none"
