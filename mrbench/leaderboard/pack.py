"""Packing: from the cells of finished runs to entries with their cases and curves, without pictures and paths."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mrbench.cards import Capability, MetricCard
from mrbench.comparison.questions import asked_metrics
from mrbench.configuration import flat
from mrbench.data.description import Raters, Unit
from mrbench.engine.cell import DataChoice
from mrbench.engine.result import Result
from mrbench.engine.run import Run
from mrbench.engine.score import applicable_metrics
from mrbench.errors import IncompatibleError, UnknownNameError, UsageError
from mrbench.leaderboard.entry import (
    METHOD_FILE,
    CellEntry,
    CodeFacts,
    DataFacts,
    Entry,
    MethodFacts,
    MetricFacts,
    OtherData,
    Phase,
    Score,
)
from mrbench.leaderboard.plausible import AMONG_SAMPLES
from mrbench.leaderboard.registered import DISTANCE
from mrbench.leaderboard.scores import Definitions, digest_of_cases, scores_of
from mrbench.leaderboard.store import facts_of
from mrbench.leaderboard.strip import stripped, without_folders
from mrbench.metrics.protocol import PROTOCOLS, ScoringProtocol
from mrbench.metrics.scores import Scores
from mrbench.plugin_file import PluginFile, content_of, file_of
from mrbench.registry import Plugin, Registry
from mrbench.report.choices import PARTS
from mrbench.results.curves import Curve, read_curves
from mrbench.results.method_run import MethodRun, merged_runs
from mrbench.results.readers import CONSTRUCTIONS

CURVES = ("stage", "epoch", "train/total", "validation/total")
TEXT, LONG = 400, 8000
"""Characters that a text of an entry keeps."""


@dataclass(frozen=True, eq=False)
class Packed:
    """An entry with the bytes of its files by name."""

    entry: Entry
    files: Mapping[str, bytes]


def candidates(runs: Sequence[Run], methods: Sequence[str] = ()) -> list[MethodRun]:
    """What there is to submit: method runs that work on their data set at all.

    Args:
        runs: cells of equal specification are put together, folds and seeds aside.
        methods: of these alone; empty: all.

    Raises:
        UnknownNameError: a method that no run has.
        IncompatibleError: a data set that runs describe differently.
        DataError: a cell that cannot be read.
    """
    found = merged_runs(runs)
    known = {one.method for one in found}
    for name in methods:
        if name not in known:
            raise UnknownNameError("method", name, known, where=f"of run {', '.join(run.id for run in runs)}")
    return [one for one in found if one.applies and (one.method in methods or not methods)]


def is_begun(run: MethodRun) -> bool:
    """Did any cell leave a record, finished or failed?"""
    return any(result.record for result in run.results)


def check_submittable(run: MethodRun, *, with_failures: bool = False) -> None:
    """Refuses what no table should have.

    Raises:
        UsageError: cells that did not finish (unless allowed), a part of the test cases, or code of unknown content.
    """
    spec, title = run.spec, f"{run.method!r} on {run.dataset!r}"
    if spec.limit is not None:
        raise UsageError(
            f"{title} was tested on the first {spec.limit} cases only",
            expected="all test cases",
            hint="mrbench run without --limit",
        )
    if file_of(spec.method) and not content_of(spec.method_version):
        raise UsageError(f"{title} is of a plugin file whose content was not recorded", hint="mrbench run --force")
    if not is_begun(run):
        raise UsageError(f"{title} was never computed", hint="mrbench run, or --method names others")
    if run.failures and not with_failures:
        raise UsageError(
            f"{title} is not finished: {len(run.failures)} of {len(run.results)} cells",
            found=run.failures[0][:300],
            hint="the mrbench run that made it continues; --method names others; --with-failures submits it as it is",
        )


def pack(
    run: MethodRun, registry: Registry, *, metrics: Sequence[str] = (), submitter: str = "", note: str = ""
) -> Packed:
    """The entry of a method run under every scoring protocol that its stored predictions allow.

    Args:
        metrics: packed besides those meant for tables and the parts of GED.

    Raises:
        UnknownNameError: a metric that is not installed.
        UsageError: the plugin file that the method came from was not given, or is another one by now.
        DataError: a cell that cannot be read.
    """
    wanted = _wanted(registry, run, metrics)
    files: dict[str, bytes] = {}
    scores: dict[str, dict[str, Score]] = {}
    faults: dict[str, dict[str, None]] = {}
    tested: dict[str, dict[str, str]] = {}
    for protocol in PROTOCOLS.values():
        scored = list(_scored(run, wanted, protocol, faults))
        for result, cases in scored:
            files[f"{protocol.name}.{result.spec.place}.csv.gz"] = _gzipped(cases)
            tested.setdefault(result.spec.place, {})[protocol.name] = digest_of_cases(cases)
        if scored:
            by_fold = [(result.spec.fold, cases) for result, cases in scored]
            scores[protocol.name] = scores_of(by_fold, Definitions.of(registry, protocol), trained=run.trained)
    files |= dict(_curves(run)) | _method_file(run, registry)
    used = {name for own in scores.values() for name in own}
    facts = {name: metric_facts(plugin.card) for name, plugin in wanted.items() if name in used}
    cells = tuple(_cell(run, result, faults, tested) for result in run.results)
    entry = _entry(run, registry, cells, facts, scores, files, _cut(submitter), stripped(note)[:LONG])
    return Packed(entry, files)


def _wanted(registry: Registry, run: MethodRun, more: Sequence[str]) -> dict[str, Plugin[Any]]:
    extra = {registry.get("metric", name).key for name in more}
    every = applicable_metrics(registry, run.description["raters"])
    checked = {DISTANCE, AMONG_SAMPLES}
    wanted = extra | set(PARTS) | asked_metrics() | checked | {one.metric for one in CONSTRUCTIONS}
    return {name: p for name, p in every.items() if p.card.table or name in wanted}


def _scored(
    run: MethodRun,
    metrics: Mapping[str, Plugin[Any]],
    protocol: ScoringProtocol,
    faults: dict[str, dict[str, None]],
) -> Iterator[tuple[Result, Scores]]:
    """The finished cells' scores, cases and subjects by names that tell of no folder; what metrics did wrong, to
    ``faults``."""
    for result in run.done:
        try:
            stored = result.scores(metrics, protocol)
        except IncompatibleError:  # no predictions were kept: this protocol cannot be had
            continue
        faults.setdefault(result.spec.place, {}).update(dict.fromkeys(map(_cut, stored.faults.values())))
        yield result, stored.cases.only(metrics).renamed(without_folders)


def _method_file(run: MethodRun, registry: Registry) -> dict[str, bytes]:
    """The plugin file that the method came from, so that nobody's row stands for code that nobody has."""
    name = file_of(run.spec.method)
    if not name:
        return {}
    if name not in registry.files:
        raise UsageError(
            f"{run.method!r} is of the plugin file {name}, which goes with its entry", hint=f"--plugin-file {name}"
        )
    file = PluginFile.read(registry.files[name])
    if file.digest != content_of(run.spec.method_version):
        raise UsageError(
            f"the plugin file {name} is not the one that {run.method!r} was computed with",
            expected=f"content {content_of(run.spec.method_version)}",
            found=file.digest,
            hint="give that file, or mrbench run computes the method with this one",
        )
    return {METHOD_FILE: file.source}


def _gzipped(scores: Scores) -> bytes:
    with TemporaryDirectory(prefix="mrbench-") as folder:
        path = Path(folder) / "cases"
        scores.write_csv(path)
        return path.read_bytes()


def _curves(run: MethodRun) -> Iterator[tuple[str, bytes]]:
    for result in run.done:
        path = result.file("curves.csv")
        stages = read_curves(path) if path else {}
        if stages:
            rows = [row for stage, curve in stages.items() for row in _losses(stripped(stage), curve)]
            text = io.StringIO(newline="")
            columns = dict.fromkeys([*CURVES, *(column for row in rows for column in row)])
            writer = csv.DictWriter(text, list(columns), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
            yield f"curves.{result.spec.place}.csv", text.getvalue().encode()


def _losses(stage: str, curve: Curve) -> Iterator[dict[str, Any]]:
    # A row per epoch: the total, then its terms
    losses = {"total": curve, **{stripped(term): own for term, own in curve.terms.items()}}
    pairs = {
        name: dict(zip(own.epochs, zip_longest(own.train, own.validation), strict=True)) for name, own in losses.items()
    }
    for epoch in curve.epochs:
        row: dict[str, Any] = {"stage": stage, "epoch": epoch - 1}
        for name, own in pairs.items():
            row[f"train/{name}"], row[f"validation/{name}"] = own.get(epoch, (None, None))
        yield row


def _cell(
    run: MethodRun,
    result: Result,
    faults: Mapping[str, Mapping[str, None]],
    tested: Mapping[str, Mapping[str, str]],
) -> CellEntry:
    profile = result.profile
    phases = profile.get("phases", {})
    return CellEntry(
        fold=result.spec.fold,
        seed=result.spec.seed,
        status=result.status,
        written=result.written or run.written,
        reason=_cut(result.reason.partition("\n")[0]),
        phases={name: Phase(float(p["seconds"]), float(p["peak_memory_mib"])) for name, p in phases.items()},
        parameters=profile.get("parameters"),
        milliseconds_per_image=profile.get("milliseconds_per_image"),
        epochs=profile.get("epochs"),
        alone=result.alone,
        trained_alone=not profile.get("trained_on_shared_device", False),
        versions={name: _cut(str(text)) for name, text in result.versions.items()},
        environment={
            name: _cut(str(value))
            for name, value in result.environment.items()
            if name != "shared_device" and value not in (None, "")
        },
        faults=tuple(faults.get(result.spec.place, ()))[:50],
        cases=dict(tested.get(result.spec.place, {})),
    )


def _entry(
    run: MethodRun,
    registry: Registry,
    cells: tuple[CellEntry, ...],
    metrics: Mapping[str, MetricFacts],
    scores: Mapping[str, Mapping[str, Score]],
    files: Mapping[str, bytes],
    submitter: str,
    note: str,
) -> Entry:
    spec = run.spec
    return Entry(
        method=spec.method,
        dataset=spec.dataset,
        kind=spec.kind,
        family=spec.family,
        gives=_cut(spec.gives),
        method_version=_cut(spec.method_version),
        capabilities=tuple(Capability(name) for name in sorted(spec.capabilities)),
        about=_about(run, registry),
        plugin_file=file_of(spec.method),
        options=option_texts(spec.options),
        preset=_cut(spec.preset),
        changed=option_texts(spec.settings),
        objective=option_texts(spec.objective),
        samples=spec.samples,
        training_code=spec.training_code,
        prediction_code=spec.prediction_code,
        code=_code(run),
        conditions=spec.conditions,
        data=_data_facts(run.description),
        dataset_options=option_texts(spec.dataset_options),
        dataset_changed=option_texts(spec.dataset_changed),
        data_digest=spec.data_digest,
        split=spec.split,
        split_digest=spec.split_digest,
        test_on=_other(spec.test_on) if spec.test_on else None,
        training_digest=spec.training_digest,
        prediction_digest=spec.digest,
        cells=cells,
        metrics=dict(metrics),
        scores={protocol: dict(own) for protocol, own in scores.items()},
        written=max(cell.written for cell in cells),
        submitter=submitter,
        note=note,
        files={name: facts_of(content) for name, content in sorted(files.items())},
        diagnostics={_cut(name): one.value for name, one in run.diagnosis.items() if one.value is not None},
    )


def _other(choice: DataChoice) -> OtherData:
    return OtherData(
        dataset=choice.dataset,
        dataset_options=option_texts(choice.dataset_options),
        dataset_changed=option_texts(choice.dataset_changed),
        data_digest=choice.data_digest,
        split=choice.split,
        split_digest=choice.split_digest,
    )


def _about(run: MethodRun, registry: Registry) -> MethodFacts:
    plugin = _cut(next((str(result.versions.get("plugin", "")) for result in run.results if result.record), ""))
    if run.method not in registry.names("method"):
        return MethodFacts("", "", "", plugin)
    record = registry.get("method", run.method).card
    return MethodFacts(_cut(record.summary), _cut(record.citation), _cut(record.licence), plugin)


def _code(run: MethodRun) -> CodeFacts:
    recorded = ((result.record or {}).get("code") for result in run.done)
    found: Mapping[str, Any] = next(filter(None, recorded), {})
    return CodeFacts(tuple(found.get("modules", ())), dict(found.get("files", {})), dict(found.get("commits", {})))


def _data_facts(description: Mapping[str, Any]) -> DataFacts:
    return DataFacts(
        raters=Raters(description["raters"]),
        rater_names=tuple(_cut(str(name)) for name in description["rater_names"]),
        classes=tuple(_cut(str(name)) for name in description["classes"]),
        unit=Unit(description["unit"]),
        licence=_cut(description["licence"]),
        citation=_cut(description["citation"]),
        origin=_cut(description["origin"]),
    )


def metric_facts(record: MetricCard) -> MetricFacts:
    """What an entry says of a metric."""
    low, high = (None if abs(bound) == float("inf") else float(bound) for bound in record.range)
    return MetricFacts(record.direction, record.needs, low, high, _cut(record.summary), record.table)


def option_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Options by their dotted name as texts for people, without folders."""
    return {name: _as_text(value)[:TEXT] for name, value in flat(values).items()}


def _as_text(value: Any) -> str:
    value = _without_paths(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _without_paths(value: Any) -> Any:
    if isinstance(value, str):
        return stripped(value)
    return [_without_paths(one) for one in value] if isinstance(value, list | tuple) else value


def _cut(text: str) -> str:
    return stripped(text)[:TEXT]
