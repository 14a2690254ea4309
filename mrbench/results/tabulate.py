"""From method runs to tables: a row each, scored from what their cells left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from mrbench.cards import Capability, MetricCard, Need
from mrbench.engine.cases import CellFiles
from mrbench.engine.cell import CellSpec
from mrbench.engine.result import Result
from mrbench.engine.score import applicable_metrics, is_scored, metric_value, score_cells, table_metrics
from mrbench.errors import DataError, IncompatibleError, UsageError
from mrbench.metrics.protocol import ScoringProtocol
from mrbench.metrics.scoring import MetricValue
from mrbench.registry import Plugin, Registry
from mrbench.results.baselines import with_floor
from mrbench.results.caveats import FIRST_SAMPLES
from mrbench.results.machines import with_machines
from mrbench.results.method_run import MethodRun
from mrbench.results.readers import readings
from mrbench.results.table import Row, Table, values_of, with_best, with_labels


def tabulate(
    runs: Sequence[MethodRun],
    registry: Registry,
    protocol: ScoringProtocol,
    only: tuple[str, ...] = (),
    *,
    rescore: bool = False,
    samples: Sequence[int] = (),
    jobs: int = 1,
    every: bool = True,
) -> list[Table]:
    """A table per data set, in the order in which the data sets come.

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
    for dataset in dict.fromkeys(run.dataset for run in runs):
        own = [run for run in runs if run.dataset == dataset]
        check_same_data(own)
        raters = own[0].description["raters"]
        plugins = applicable_metrics(registry, raters, only)
        records = {name: plugin.card for name, plugin in table_metrics(registry, raters, only).items()}
        if samples:
            records = _of_samples(records)
        if samples or not every:
            plugins = {name: plugins[name] for name in records}
        scorer = _Scorer(plugins, protocol, rescore, jobs, tuple(registry.files.values()))
        rows = _budget_rows(own, scorer, samples) if samples else scorer.rows(own)
        shown = {name: record for name, record in records.items() if any(name in row.values for row in rows)}
        rows = with_best(with_labels(with_floor(with_machines(rows), shown)), shown)
        changed = own[0].spec.data_settings
        table = Table(dataset, own[0].description, changed, protocol.name, shown, rows)
        tables.append(replace(table, notes=tuple(readings(table, registry))))
    return tables


def check_same_data(runs: Sequence[MethodRun]) -> None:
    """Refuses method runs that do not compare.

    Raises:
        IncompatibleError: different data or splits under one name.
    """
    seen: dict[tuple[str, str], str] = {}
    for run in runs:
        for digests in run.digests:
            seen.setdefault(digests, run.origin)
    if len(seen) > 1:
        listed = (f"{origin}: data {data[:12]}, split {split[:12]}" for (data, split), origin in seen.items())
        raise IncompatibleError(
            f"the cells of {runs[0].dataset!r} come from {len(seen)} different data or splits, so that their rows do "
            "not compare",
            expected="the same data and split digests",
            found="; ".join(listed),
            hint="take the runs one by one",
        )


Found = tuple[Mapping[str, MetricValue], Sequence[str]]
"""What a cell's scores give: values by metric, and what metrics did wrong."""


@dataclass(frozen=True)
class _Scorer:
    """Cells' metrics under a protocol: from their records where they are there, else from their predictions."""

    plugins: Mapping[str, Plugin[Any]]
    protocol: ScoringProtocol
    rescore: bool
    jobs: int
    files: tuple[Path, ...]

    def rows(self, runs: Sequence[MethodRun], samples: int | None = None) -> list[Row]:
        """The rows of method runs, whose cells are scored together; of the first so many samples where it is said."""
        cells = [result for run in runs for result in run.done]
        try:
            found: list[Found | DataError] = [*self._found(cells, samples)]
        except DataError:  # of one cell, which costs that cell only
            found = [self._alone(result, samples) for result in cells]
        rest = iter(found)
        return [self._row(run, [next(rest) for _ in run.done]) for run in runs]

    def _row(self, run: MethodRun, found: Sequence[Found | DataError]) -> Row:
        cells = list(zip(run.finished, found, strict=True))
        errors = {place: own for (place, _), own in cells if isinstance(own, DataError)}
        read = [(result.spec.fold, own) for (_, result), own in cells if not isinstance(own, DataError)]
        values = values_of([(fold, metrics) for fold, (metrics, _) in read], len(run.folds), self.protocol)
        return Row.of(run.with_damaged(errors), values, [fault for _, (_, faults) in read for fault in faults])

    def _alone(self, result: Result, samples: int | None) -> Found | DataError:
        try:
            return self._found([result], samples)[0]
        except DataError as error:
            return error

    def _found(self, results: Sequence[Result], samples: int | None) -> list[Found]:
        """Values and what metrics did wrong, of finished cells in their order."""
        again = self.rescore or samples is not None
        stored = [None if again else self._stored(result.record or {}) for result in results]
        # Of a results folder: a leaderboard's tables hold the values that were packed.
        files = [cast(CellFiles, r.files) for r, found in zip(results, stored, strict=True) if found is None]
        scored = score_cells(
            [one.predictions() for one in files],
            self.plugins,
            self.protocol,
            samples=samples,
            jobs=self.jobs,
            files=self.files,
        )
        rest = ((cell.values, tuple(cell.faults.values())) for cell in scored)
        return [next(rest) if found is None else found for found in stored]

    def _stored(self, record: Mapping[str, Any]) -> Found | None:
        if not is_scored(record, self.plugins, self.protocol):
            return None
        values = {name: metric_value(found) for name, found in record["metrics"].items() if name in self.plugins}
        return values, tuple(record.get("metric_faults", {}).values())


def _budget_rows(runs: Sequence[MethodRun], scorer: _Scorer, samples: Sequence[int]) -> list[Row]:
    for run in runs:
        _check_budget(run.spec, max(samples))
    rows = []
    for run in runs:
        for n in samples if Capability.DIVERSE in run.spec.capabilities else (None,):
            (row,) = scorer.rows([run], n)
            row = replace(row, costs={})
            first = (FIRST_SAMPLES,) if n is not None and n < run.spec.samples else ()
            rows.append(replace(row, samples=n or row.samples, caveats=row.caveats + first))
    return rows


def _of_samples(records: Mapping[str, MetricCard]) -> dict[str, MetricCard]:
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
            f"{spec.method} on {spec.domain} cannot be scored at {n} samples",
            expected=f"at most S = {spec.samples}, which are stored",
            hint=f"mrbench run --samples {n} draws more",
        )
