"""Scores of an entry from the cases of its cells: the same function packs them and checks them."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean

from mrbench.digests import digest_json
from mrbench.engine.score import scoring_digests
from mrbench.interfaces.metric import Metric
from mrbench.leaderboard.entry import Score
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import CaseScores, MetricValue, Row, reduce_dataset, reduce_fold
from mrbench.records import MetricRecord
from mrbench.registry import Plugin, Registry
from mrbench.statistics.bootstrap import Estimate, bootstrap_value
from mrbench.statistics.subjects import SubjectTable, subject_table


@dataclass(frozen=True, eq=False)
class CellScores:
    """The cases of a finished cell under one protocol."""

    fold: int
    seed: int
    cases: CaseScores

    @property
    def place(self) -> str:
        """Fold and seed, as in the names of files."""
        return f"fold{self.fold}-seed{self.seed}"


def digest_of_cases(scores: CaseScores) -> str:
    """A digest of the cases that have a score, with their subjects."""
    return digest_json(sorted({(case, subject) for case, subject, values in scores.cases if len(values)}))


@dataclass(frozen=True, eq=False)
class Definitions:
    """Metrics as they are installed here.

    Attributes:
        digests: of each metric under the protocol.
    """

    protocol: ScoringProtocol
    metrics: Mapping[str, Metric]
    digests: Mapping[str, str]

    @classmethod
    def of(cls, registry: Registry, protocol: ScoringProtocol) -> "Definitions":
        """Of all metrics that can be loaded."""
        plugins: dict[str, Plugin[MetricRecord]] = {plugin.key: plugin for plugin in registry.plugins["metric"]}
        loaded = {name: plugin.load()() for name, plugin in plugins.items()}
        return cls(protocol, loaded, scoring_digests(plugins, protocol))


def scores_of(cells: Sequence[CellScores], known: Definitions) -> dict[str, Score]:
    """Every metric that a cell has and that is installed.

    Raises:
        ValueError: numbers that a metric cannot finalise, or whose value is not finite.
    """
    found = [_Reduced.of(cell, known) for cell in cells]
    names = dict.fromkeys(name for own in found for name in own.values)
    return {name: _score(name, [own for own in found if name in own.values], known) for name in names}


@dataclass(frozen=True, eq=False)
class _Reduced:
    """A cell's values and rows by metric."""

    fold: int
    values: Mapping[str, MetricValue]
    rows: Mapping[str, Sequence[Row]]

    @classmethod
    def of(cls, cell: CellScores, known: Definitions) -> "_Reduced":
        cases = only(cell.cases, known.metrics)
        rows: dict[str, list[Row]] = {}
        for row in cases:
            rows.setdefault(row.metric, []).append(row)
        return cls(cell.fold, reduce_fold(cases, known.metrics, known.protocol), rows)


def only(cases: CaseScores, metrics: Container[str]) -> CaseScores:
    """The cases with these metrics alone."""
    if all(name in metrics for name in cases.metrics()):
        return cases
    kept = CaseScores()
    for case, subject, values in cases.cases:
        kept.append(case, subject, {at: statistics for at, statistics in values.items() if at[0] in metrics})
    return kept


def _score(name: str, cells: Sequence[_Reduced], known: Definitions) -> Score:
    numbers = sorted({cell.fold for cell in cells})
    seeds = {fold: [cell for cell in cells if cell.fold == fold] for fold in numbers}
    values = {fold: [cell.values[name] for cell in own] for fold, own in seeds.items()}
    folds = {fold: fmean(value.value for value in own) for fold, own in values.items()}
    summary = reduce_dataset(list(folds.values()), known.protocol)
    if not isfinite(summary.mean):
        raise ValueError(f"{name}: the value is not finite")
    metric, rows = known.metrics[name], {fold: [cell.rows[name] for cell in own] for fold, own in seeds.items()}
    estimate = _interval(rows, metric, known.protocol)
    return Score(
        definition=known.digests[name],
        mean=summary.mean,
        sd=summary.sd,
        folds=folds,
        low=estimate.interval.low if estimate.interval else None,
        high=estimate.interval.high if estimate.interval else None,
        no_interval=estimate.reason,
        by_class=_over_folds([[value.by_class for value in own] for own in values.values()]),
        by_rater=_over_folds([[value.by_rater for value in own] for own in values.values()]),
        cases=sum(own[0].n_cases for own in values.values()),
        subjects=len({row.subject for own in rows.values() for row in own[0]}),
    )


def _interval(folds: Mapping[int, Sequence[Sequence[Row]]], metric: Metric, protocol: ScoringProtocol) -> Estimate:
    return bootstrap_value({fold: _tables(seeds, metric, protocol) for fold, seeds in folds.items()})


def _tables(seeds: Sequence[Sequence[Row]], metric: Metric, protocol: ScoringProtocol) -> list[SubjectTable]:
    subjects = sorted({row.subject for rows in seeds for row in rows})
    return [subject_table(rows, metric, protocol, subjects) for rows in seeds]


def _over_folds(folds: Sequence[Sequence[Mapping[int, float]]]) -> dict[int, float]:
    """Means over the seeds of a fold, then over the folds that have the place."""
    found: dict[int, list[float]] = {}
    for seeds in folds:
        for place in dict.fromkeys(place for own in seeds for place in own):
            found.setdefault(place, []).append(fmean(own[place] for own in seeds if place in own))
    return {place: fmean(found[place]) for place in sorted(found)}
