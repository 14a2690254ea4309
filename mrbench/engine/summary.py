"""From cells to rows: one per method and data set, over folds and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from mrbench.data.splits import LEAKY_PREFIX
from mrbench.engine.cell import PREDICTIONS, CellSpec, Status
from mrbench.engine.run import CellResult, Run
from mrbench.engine.score import applicable_metrics, is_scored, metrics_json, score_cells
from mrbench.errors import IncompatibleError, UsageError
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import Summary, reduce_dataset
from mrbench.records import Capability, Direction, MetricRecord, Need
from mrbench.registry import Plugin, Registry

COSTS = ("train s", "predict s", "ms/image", "peak MiB", "parameters")
"""What a row's cost can hold, in the order of the table."""

SEES_TEST_MASKS = "sees test masks"
SINGLE_OUTPUT = "single output"
EXTERNAL_PREDICTIONS = "external predictions"
FIRST_SAMPLES = "first samples"
EXPLAINED = {
    SEES_TEST_MASKS: "sees the masks it is scored on (never ranked)",
    SINGLE_OUTPUT: "single output, scored as one sample and as every rater's",
    FIRST_SAMPLES: "scored on the first samples of more; what needs the mean probability of all is blank",
}
"""Marks that a note below the table puts in other words."""


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
    samples: Sequence[int] = (),
    jobs: int = 1,
    every: bool = True,
) -> list[DatasetTable]:
    """A table per data set.

    Args:
        only: metrics to show; empty: those meant for tables.
        rescore: compute every metric again from the stored predictions, even where a record has it.
        samples: sample budgets; a row each, scored on the first so many samples, with the metrics of samples alone.
        jobs: processes that score, at most.
        every: work out the metrics that are not shown too.

    Raises:
        UnknownNameError: a metric that is not installed.
        UsageError: a method has fewer samples than a budget.
        IncompatibleError: cells of different data or splits under one name.
    """
    tables = []
    for dataset, description in run.descriptions.items():
        own = [result for result in results if result.spec.dataset == dataset]
        _check_same_data(dataset, own)
        plugins = applicable_metrics(registry, description["raters"], only)
        records = {name: plugin.record for name, plugin in plugins.items() if only or plugin.record.table}
        if samples:
            records = _of_samples(records)
        if samples or not every:
            plugins = {name: plugins[name] for name in records}
        scorer = _Scorer(run.results, plugins, protocol, rescore, jobs, tuple(registry.files.values()))
        rows = _budget_rows(own, scorer, description, samples) if samples else _rows(own, scorer, description)
        shown = {name: record for name, record in records.items() if any(name in row.metrics for row in rows)}
        tables.append(
            DatasetTable(
                dataset, description, own[0].spec.dataset_changed, protocol.name, shown, with_best(rows, shown)
            )
        )
    return tables


def _check_same_data(dataset: str, results: Sequence[CellResult]) -> None:
    seen = {(r.spec.data_digest, r.spec.split_digest) for r in results}
    if len(seen) > 1:
        raise IncompatibleError(f"the cells of {dataset!r} come from {len(seen)} different data or splits")


@dataclass(frozen=True)
class _Found:
    """What ``metrics_json`` gives of a finished cell, and what metrics did wrong."""

    metrics: Mapping[str, Any]
    faults: Sequence[str]


@dataclass(frozen=True)
class _Scorer:
    """Cells' metrics under a protocol: from their records where they are there, else from their predictions."""

    results: Path
    plugins: Mapping[str, Plugin[Any]]
    protocol: ScoringProtocol
    rescore: bool
    jobs: int
    files: tuple[Path, ...]

    def found(self, results: Sequence[CellResult], samples: int | None = None) -> list[_Found]:
        """Of finished cells, in their order; of the first so many samples where it is said."""
        again = self.rescore or samples is not None
        stored = [None if again else self._stored(result.record or {}) for result in results]
        paths = [r.spec.folder(self.results) for r, found in zip(results, stored, strict=True) if found is None]
        scored = score_cells(
            [path / PREDICTIONS for path in paths],
            self.plugins,
            self.protocol,
            samples=samples,
            jobs=self.jobs,
            files=self.files,
        )
        rest = (_Found(metrics_json(cell.values), tuple(cell.faults.values())) for cell in scored)
        return [next(rest) if found is None else found for found in stored]

    def _stored(self, record: Mapping[str, Any]) -> _Found | None:
        if not is_scored(record, self.plugins, self.protocol):
            return None
        metrics = {name: value for name, value in record["metrics"].items() if name in self.plugins}
        return _Found(metrics, tuple(record.get("metric_faults", {}).values()))


def _rows(results: Sequence[CellResult], scorer: _Scorer, description: Mapping[str, Any]) -> list[Row]:
    done = [result for result in results if result.status is Status.OK]
    found = dict(zip(map(id, done), scorer.found(done), strict=True))
    return [_row(own, found, scorer.protocol, description) for own in _by_method(results)]


def _budget_rows(
    results: Sequence[CellResult], scorer: _Scorer, description: Mapping[str, Any], samples: Sequence[int]
) -> list[Row]:
    for result in results:
        _check_budget(result.spec, max(samples))
    rows = []
    for own in _by_method(results):
        done, spec = [result for result in own if result.status is Status.OK], own[0].spec
        for n in samples if Capability.DIVERSE in spec.capabilities else (None,):
            found = dict(zip(map(id, done), scorer.found(done, n), strict=True))
            row = replace(_row(own, found, scorer.protocol, description), cost={})
            mark = (FIRST_SAMPLES,) if n is not None and n < spec.samples else ()
            rows.append(replace(row, samples=n or row.samples, marks=row.marks + mark))
    return rows


def _of_samples(records: Mapping[str, MetricRecord]) -> dict[str, MetricRecord]:
    kept = {name: record for name, record in records.items() if record.needs is Need.SAMPLES}
    if records and not kept:
        named = ", ".join(records)
        raise UsageError(
            f"no sample budget changes {named}", expected="a metric of samples", hint="mrbench list metrics"
        )
    return kept


def _check_budget(spec: CellSpec, n: int) -> None:
    if Capability.DIVERSE in spec.capabilities and n > spec.samples:
        raise UsageError(
            f"{spec.method} on {spec.dataset} cannot be scored at {n} samples",
            expected=f"at most S = {spec.samples}, which are stored",
            hint=f"mrbench run --samples {n} draws more",
        )


def _by_method(results: Sequence[CellResult]) -> list[list[CellResult]]:
    methods = dict.fromkeys(result.spec.method for result in results)
    return [[result for result in results if result.spec.method == method] for method in methods]


def _row(
    results: Sequence[CellResult],
    found: Mapping[int, _Found],
    protocol: ScoringProtocol,
    description: Mapping[str, Any],
) -> Row:
    done = [result for result in results if id(result) in found]
    values = [(result.spec, found[id(result)].metrics) for result in done]
    names = dict.fromkeys(name for _, metrics in values for name in metrics)
    failed = [failure_of(result) for result in results if result.status is not Status.OK]
    return Row(
        method=results[0].spec.method,
        samples=samples_of(results[0].spec),
        marks=marks_of(results[0].spec, description),
        cells=(len(done), len(results)),
        metrics={name: over_folds(name, values, protocol) for name in names},
        cost=_cost([result.record for result in done if result.record and result.spec.kind != "external"]),
        failures=tuple(dict.fromkeys([*failed, *(fault for result in done for fault in found[id(result)].faults)])),
    )


def over_folds(name: str, values: Sequence[tuple[CellSpec, Mapping[str, Any]]], protocol: ScoringProtocol) -> Summary:
    """A metric of one method on one data set, from what ``metrics_json`` gives for each of its cells, at least one."""
    # Seeds of one fold are repetitions of one measurement: they are averaged before the spread over folds is taken.
    by_fold: dict[int, list[float]] = {}
    for spec, metrics in values:
        if name in metrics:
            by_fold.setdefault(spec.fold, []).append(metrics[name]["value"])
    return reduce_dataset([fmean(by_fold[fold]) for fold in sorted(by_fold)], protocol)


def failure_of(result: CellResult) -> str:
    """One line on a cell that did not finish."""
    first = result.reason.splitlines()[0] if result.reason else ""
    return f"{result.spec.place} {result.status}: {first}"


def samples_of(spec: CellSpec) -> int | None:
    """S of a method's sample set; 1 where it has a single output, None where it gives none."""
    if Capability.DIVERSE in spec.capabilities:
        return spec.samples
    return 1 if Capability.CONSENSUS in spec.capabilities else None


def marks_of(spec: CellSpec, description: Mapping[str, Any]) -> tuple[str, ...]:
    """What a reader must know of a row before comparing."""
    marks = [EXTERNAL_PREDICTIONS] if spec.kind == "external" else []
    if spec.kind == "fusion" or Capability.SEES_TEST_MASKS in spec.capabilities:
        marks.append(SEES_TEST_MASKS)
    if {Capability.DIVERSE, Capability.PERSONAL}.isdisjoint(spec.capabilities):
        marks.append(SINGLE_OUTPUT)
    if spec.split != "strict":
        leaky = spec.split.startswith(LEAKY_PREFIX)
        marks.append(f"split {spec.split}{', which may train on test subjects' * leaky}")
    if spec.limit is not None:
        marks.append(f"first {spec.limit} cases")
    marks += spec.conditions.caveats
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


def with_best(rows: Sequence[Row], metrics: Mapping[str, MetricRecord]) -> list[Row]:
    """The rows with ``best`` found among them."""
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
