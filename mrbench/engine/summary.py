"""From cells to rows: one per method and data set, over folds and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.run import CellResult, Run
from mrbench.engine.score import applicable_metrics, metrics_json, score_cell, scoring_digests
from mrbench.errors import IncompatibleError
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import Summary, reduce_dataset
from mrbench.records import Capability, Direction, MetricRecord, Need
from mrbench.registry import Plugin, Registry

COSTS = ("train s", "predict s", "ms/image", "peak MiB", "parameters")
"""What a row's cost can hold, in the order of the table."""

SEES_TEST_MASKS = "sees test masks"
SINGLE_OUTPUT = "single output"


@dataclass(frozen=True)
class Row:
    """One method on one data set.

    Attributes:
        samples: S of the sample set; 1 for a method with a single output, None where it gives none.
        marks: what a reader must know before comparing.
        cells: (finished, planned).
        metrics: mean and spread over folds, per metric.
        best: metrics in which it is the best of the rows that it may be ranked with.
        cost: means over the cells, by the names in ``COSTS``.
        failures: reasons of the cells that did not finish and of the metrics that failed.
    """

    method: str
    samples: int | None
    marks: tuple[str, ...]
    cells: tuple[int, int]
    metrics: Mapping[str, Summary]
    cost: Mapping[str, float]
    failures: tuple[str, ...]
    best: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DatasetTable:
    """The rows of one data set under one scoring protocol; ``changed``: the options of the data set that were set."""

    dataset: str
    description: Mapping[str, Any]
    changed: Mapping[str, Any]
    protocol: str
    metrics: Mapping[str, MetricRecord]
    rows: Sequence[Row] = field(default_factory=list)


def summarise(
    run: Run,
    results: Sequence[CellResult],
    registry: Registry,
    protocol: ScoringProtocol,
    only: tuple[str, ...] = (),
    *,
    rescore: bool = False,
) -> list[DatasetTable]:
    """A table per data set.

    Args:
        only: metrics to show; empty: those meant for tables.
        rescore: compute every metric again from the stored predictions, even where a record has it.

    Raises:
        UnknownNameError: a metric that is not installed.
        IncompatibleError: cells of different data or splits under one name.
    """
    tables = []
    for dataset, description in run.descriptions.items():
        own = [result for result in results if result.spec.dataset == dataset]
        _check_same_data(dataset, own)
        plugins = applicable_metrics(registry, description["raters"], only)
        records = {name: plugin.record for name, plugin in plugins.items() if only or plugin.record.table}
        scorer = _Scorer(run.results, plugins, protocol, rescore)
        methods = list(dict.fromkeys(result.spec.method for result in own))
        rows = [_row(m, [r for r in own if r.spec.method == m], scorer, description) for m in methods]
        shown = {name: record for name, record in records.items() if any(name in row.metrics for row in rows)}
        tables.append(
            DatasetTable(
                dataset, description, own[0].spec.dataset_changed, protocol.name, shown, _with_best(rows, shown)
            )
        )
    return tables


def _check_same_data(dataset: str, results: Sequence[CellResult]) -> None:
    seen = {(r.spec.data_digest, r.spec.split_digest) for r in results}
    if len(seen) > 1:
        raise IncompatibleError(f"the cells of {dataset!r} come from {len(seen)} different data or splits")


@dataclass(frozen=True)
class _Scorer:
    """A cell's metrics under a protocol: from its record where they are there, else from its predictions."""

    results: Path
    plugins: Mapping[str, Plugin[Any]]
    protocol: ScoringProtocol
    rescore: bool

    def values(self, result: CellResult) -> Mapping[str, Any]:
        assert result.record is not None
        wanted, stored = scoring_digests(self.plugins, self.protocol), result.record.get("scoring", {})
        if not self.rescore and all(stored.get(name) == digest for name, digest in wanted.items()):
            return {name: value for name, value in result.record["metrics"].items() if name in wanted}
        predictions = result.spec.folder(self.results) / "predictions.h5"
        return metrics_json(score_cell(predictions, self.plugins, self.protocol).values)


def _row(method: str, results: Sequence[CellResult], scorer: _Scorer, description: Mapping[str, Any]) -> Row:
    done = [result for result in results if result.status is Status.OK]
    values = [(result.spec, scorer.values(result)) for result in done]
    names = dict.fromkeys(name for _, metrics in values for name in metrics)
    return Row(
        method=method,
        samples=_samples(results[0].spec),
        marks=_marks(results[0].spec, description),
        cells=(len(done), len(results)),
        metrics={name: _over_folds(name, values, scorer.protocol) for name in names},
        cost=_cost([result.record for result in done if result.record]),
        failures=tuple(dict.fromkeys([*(_failure(r) for r in results if r.status is not Status.OK), *_faults(done)])),
    )


def _over_folds(name: str, values: Sequence[tuple[CellSpec, Mapping[str, Any]]], protocol: ScoringProtocol) -> Summary:
    # Seeds of one fold are repetitions of one measurement: they are averaged before the spread over folds is taken.
    by_fold: dict[int, list[float]] = {}
    for spec, metrics in values:
        if name in metrics:
            by_fold.setdefault(spec.fold, []).append(metrics[name]["value"])
    return reduce_dataset([fmean(by_fold[fold]) for fold in sorted(by_fold)], protocol)


def _faults(done: Sequence[CellResult]) -> list[str]:
    return [fault for result in done for fault in (result.record or {}).get("metric_faults", {}).values()]


def _failure(result: CellResult) -> str:
    first = result.reason.splitlines()[0] if result.reason else ""
    return f"{result.spec.place} {result.status}: {first}"


def _samples(spec: CellSpec) -> int | None:
    if Capability.DIVERSE in spec.capabilities:
        return spec.samples
    return 1 if Capability.CONSENSUS in spec.capabilities else None


def _marks(spec: CellSpec, description: Mapping[str, Any]) -> tuple[str, ...]:
    marks = []
    if spec.kind == "fusion" or Capability.SEES_TEST_MASKS in spec.capabilities:
        marks.append(SEES_TEST_MASKS)
    if {Capability.DIVERSE, Capability.PERSONAL}.isdisjoint(spec.capabilities):
        marks.append(SINGLE_OUTPUT)
    if spec.split != "strict":
        marks.append(f"split {spec.split}")
    if spec.limit is not None:
        marks.append(f"first {spec.limit} cases")
    if spec.kind == "method" and spec.preset not in ("paper", "default"):
        marks.append(f"preset {spec.preset}")
    marks += [f"{name} = {value}" for name, value in spec.changed.items()]
    if description["raters"] == "ranked":
        marks.append("virtual raters")
    return tuple(marks)


def _cost(records: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    columns: dict[str, list[float]] = {}
    for record in records:
        profile = record["profile"]
        if record["environment"]["shared_device"]:
            continue
        phases = profile["phases"]
        trained = {} if profile.get("trained_on_shared_device") else phases.get("fit", {})
        facts = {
            "train s": trained.get("seconds"),
            "predict s": phases["predict"]["seconds"],
            "ms/image": profile.get("milliseconds_per_image"),
            "peak MiB": max(phase["peak_memory_mib"] for phase in phases.values()),
            "parameters": profile.get("parameters"),
        }
        for name, value in facts.items():
            if value is not None:
                columns.setdefault(name, []).append(float(value))
    return {name: fmean(values) for name, values in columns.items()}


def _with_best(rows: Sequence[Row], metrics: Mapping[str, MetricRecord]) -> list[Row]:
    best = {id(row): {name for name, record in metrics.items() if _is_best(row, name, record, rows)} for row in rows}
    return [Row(**{**vars(row), "best": frozenset(best[id(row)])}) for row in rows]


def _is_best(row: Row, name: str, record: MetricRecord, rows: Sequence[Row]) -> bool:
    # Sample-set metrics depend on S: only rows of equal S are ranked. Rows that see the test masks are bounds.
    if record.direction is Direction.NEITHER or not _ranked(row, name):
        return False
    rivals = [other for other in rows if _ranked(other, name)]
    if record.needs is Need.SAMPLES:
        rivals = [other for other in rivals if other.samples == row.samples]
    sign = 1 if record.direction is Direction.HIGHER else -1
    return len(rivals) > 1 and all(sign * row.metrics[name].mean >= sign * o.metrics[name].mean for o in rivals)


def _ranked(row: Row, name: str) -> bool:
    return name in row.metrics and row.cells[0] == row.cells[1] and SEES_TEST_MASKS not in row.marks
