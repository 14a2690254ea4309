"""Paired differences: what B gives beyond A on the cases that both have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from mrbench.cards import Direction, MetricCard, Need
from mrbench.comparison.paired_tests import significances
from mrbench.comparison.pairs import Pair
from mrbench.errors import IncompatibleError
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.results.method_run import MethodRun
from mrbench.results.pairing import Paired
from mrbench.results.reader import ScoreReader
from mrbench.statistics.bootstrap import Estimate, bootstrap_difference
from mrbench.statistics.effects import Effect, effect
from mrbench.statistics.equality import TIE
from mrbench.statistics.exchanges import EXCHANGES
from mrbench.statistics.significance import Significance

if TYPE_CHECKING:
    import pandas as pd

FEW_SUBJECTS = 20
"""With fewer subjects in a fold, the percentile interval covers notably less than its level."""


@dataclass(frozen=True)
class Tally:
    """On how many of n B is better, and on how many both are the same."""

    better: int
    ties: int
    n: int


@dataclass(frozen=True)
class Difference:
    """One metric of a comparison.

    Attributes:
        a, b: mean over the folds, on what both have.
        estimate: B - A with its interval.
        subjects, folds: on how many B is better; None where no direction is better.
        cases: pairs.
        without_partner: cases of A and of B that the other does not have, in the folds that both have.
        fewest: subjects of the fold that has the fewest.
        effect: its size over the subjects.
        tests: by name; empty where the difference is no result, as of samples at unequal S.
        corrected: p by name, corrected for all tests of the command; only of tests that have a p.
        flags: what a reader must know of it.
    """

    metric: str
    a: float
    b: float
    estimate: Estimate
    subjects: Tally | None
    folds: Tally | None
    cases: int
    without_partner: tuple[int, int]
    fewest: int
    effect: Effect
    tests: Mapping[str, Significance]
    corrected: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two methods on one data set.

    Attributes:
        protocol: the scoring protocol of both.
        metrics: records of those that are compared.
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

        Columns: ``a``, ``b``, ``difference`` (B less A), ``low``, ``high`` (95 % interval), ``p`` (exchange test,
        corrected), ``effect`` (rank-biserial), ``subjects_better`` of ``subjects``, ``folds_better`` of ``folds`` (on
        which B is better), ``cases``, ``flags``.
        """
        import pandas as pd

        index = pd.Index([one.metric for one in self.differences], name="metric")
        return pd.DataFrame([_facts(one) for one in self.differences], index=index, columns=list(FACTS))


FACTS = (
    "a", "b", "difference", "low", "high", "p", "effect", "subjects_better", "subjects", "folds_better", "folds",
    "cases", "flags",
)  # fmt: skip
"""Columns of the frame of a comparison."""


def _facts(one: Difference) -> dict[str, Any]:
    interval = one.estimate.interval
    facts = {
        "a": one.a,
        "b": one.b,
        "difference": one.estimate.value,
        "low": interval.low if interval else nan,
        "high": interval.high if interval else nan,
        "p": one.corrected.get("exchange", nan),
        "effect": one.effect.rank_biserial,
        "cases": one.cases,
        "flags": "; ".join(one.flags),
    }
    for name, tally in (("subjects", one.subjects), ("folds", one.folds)):
        facts |= {f"{name}_better": tally.better if tally else nan, name: tally.n if tally else nan}
    return facts


def compare(
    pair: Pair, reader: ScoreReader, *, seed: int = 0, draws: int = EXCHANGES, allow_mixed: bool = False
) -> Comparison:
    """Every metric that both methods have, on the folds and cases that both have.

    Where other data or splits are allowed, they are said in a note, and nothing is tested.

    Args:
        seed: of the bootstrap draws.
        draws: exchanges of a test.
        allow_mixed: compare on other data or splits too.

    Raises:
        UnknownNameError: a metric that is not installed.
        IncompatibleError: other data or splits, or scores of another protocol that cannot be computed again.
        DataError: a file that cannot be read.
    """
    if not allow_mixed:
        pair.check_same_data()
    records = reader.records(pair.a)
    a, b = reader.scores(pair.a), reader.scores(pair.b)
    differences = []
    for name, record in records.items():
        if name in a.folds and name in b.folds:
            paired = Paired.of(a.folds[name], b.folds[name], reader.load(name), reader.protocol)
            if paired:
                differences.append(_difference(pair, record, name, paired, seed, draws))
    compared = {difference.metric for difference in differences}
    alone = [name for name in records if (name in a.folds or name in b.folds) and name not in compared]
    faults = dict.fromkeys([*a.faults, *b.faults])
    notes = [*_notes(pair, (a.run, b.run), differences), *faults]
    return Comparison(pair.a, pair.b, reader.protocol, records, differences, alone, notes, pair.mixed)


def check_something(comparisons: Sequence[Comparison]) -> None:
    """Refuses a comparison of nothing.

    Raises:
        IncompatibleError: no pair has a metric and a case in common.
    """
    if not any(comparison.differences for comparison in comparisons):
        notes = [note for comparison in comparisons for note in comparison.notes]
        raise IncompatibleError(
            "nothing can be compared: no metric has a case that both have", found="; ".join(dict.fromkeys(notes))
        )


def _difference(pair: Pair, record: MetricCard, name: str, paired: Paired, seed: int, draws: int) -> Difference:
    a, b = paired.means
    subjects = paired.subject_differences
    flags, is_result = tuple(_flags(pair, record, paired)), not pair.mixed and not _unequal_samples(pair, record)
    return Difference(
        metric=name,
        a=a,
        b=b,
        estimate=replace(bootstrap_difference(paired.a, paired.b, seed=seed), value=b - a),
        subjects=_tally(subjects[np.isfinite(subjects)], record.direction),
        folds=_tally(paired.fold_differences, record.direction),
        cases=paired.cases,
        without_partner=paired.without_partner,
        fewest=min(paired.subjects),
        effect=effect(subjects),
        tests=significances(paired, draws) if is_result else {},
        flags=flags,
    )


def _tally(differences: np.ndarray, direction: Direction) -> Tally | None:
    if direction is Direction.NEITHER:
        return None
    sign = 1 if direction is Direction.HIGHER else -1
    ties = int((np.abs(differences) <= TIE).sum())
    return Tally(int((sign * differences > TIE).sum()), ties, len(differences))


def _flags(pair: Pair, record: MetricCard, paired: Paired) -> Iterator[str]:
    if _unequal_samples(pair, record):
        yield f"S differs: {pair.a.samples} and {pair.b.samples}"
    if not paired.same_columns:
        yield "classes and raters that only one of them has are left out"
    if paired.cases < paired.of_cases:
        yield f"n {paired.cases}/{paired.of_cases}"


def _unequal_samples(pair: Pair, record: MetricCard) -> bool:
    return record.needs is Need.SAMPLES and pair.a.samples != pair.b.samples


def _notes(pair: Pair, read: Sequence[MethodRun], differences: Sequence[Difference]) -> Iterator[str]:
    yield from pair.mixed
    folds = [{result.spec.fold for result in row.done} for row in read]
    if folds[0] != folds[1]:
        yield f"folds of both: {_listed(folds[0] & folds[1])}; of A: {_listed(folds[0])}; of B: {_listed(folds[1])}"
    seeds = [sorted({result.spec.seed for result in row.done}) for row in read]
    if len(seeds[0]) != len(seeds[1]):
        yield f"seeds, averaged within a fold: {len(seeds[0])} of A, {len(seeds[1])} of B"
    yield from _without_partner(differences)
    for letter, run in zip("AB", read, strict=True):
        yield from (f"{letter}: {run.method} {line}" for line in run.failures)
    yield from dict.fromkeys(f"no interval: {d.estimate.reason}" for d in differences if d.estimate.reason)
    fewest = min((d.fewest for d in differences if d.estimate.interval), default=FEW_SUBJECTS)
    if fewest < FEW_SUBJECTS:
        yield (
            f"a fold has {fewest} subjects only: intervals from so few are too narrow (with 3 they hold the true "
            "difference in 84 %, not 95 %)"
        )


def _without_partner(differences: Sequence[Difference]) -> Iterator[str]:
    counts = dict.fromkeys(d.without_partner for d in differences)
    for a, b in counts:
        metrics = [d.metric for d in differences if d.without_partner == (a, b)]
        if a or b:
            of = "" if len(counts) == 1 else f" ({', '.join(metrics)})"
            yield f"cases that only one of them has: {a} of A, {b} of B{of}"


def _listed(folds: set[int]) -> str:
    return ", ".join(map(str, sorted(folds))) or "none"
