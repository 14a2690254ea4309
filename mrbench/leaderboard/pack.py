"""Packing: from the cells of finished runs to entries with their cases and curves, without pictures and paths."""

import csv
import io
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mrbench.configuration import flat
from mrbench.data.description import Raters, Unit
from mrbench.engine.cases import cell_scores
from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.record import reproduce
from mrbench.engine.run import CellResult, Run
from mrbench.engine.score import applicable_metrics
from mrbench.errors import IncompatibleError, UnknownNameError, UsageError
from mrbench.leaderboard.entry import CellEntry, DataFacts, Entry, MethodFacts, MetricFacts, Phase, Score
from mrbench.leaderboard.scores import CellScores, Definitions, digest_of_cases, only, scores_of
from mrbench.leaderboard.store import facts_of
from mrbench.leaderboard.strip import stripped, stripped_command, without_folders
from mrbench.metrics.protocol import PROTOCOLS, ScoringProtocol
from mrbench.metrics.scoring import CaseScores
from mrbench.plugin_file import file_of
from mrbench.records import Capability, MetricRecord
from mrbench.registry import Plugin, Registry
from mrbench.report.choices import PARTS
from mrbench.report.curves import read_curves

CURVES = ("stage", "epoch", "train/total", "validation/total")
TEXT, LONG = 400, 8000
"""Characters that a text of an entry keeps."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """The cells of one configuration of a method on one data set, of one or several runs.

    Attributes:
        results: folder of results and cell, by fold and seed.
        description: what the data set declares.
    """

    results: Sequence[tuple[Path, CellResult]]
    description: Mapping[str, Any]

    @property
    def spec(self) -> CellSpec:
        """Of any of its cells: they differ by fold and seed."""
        return self.results[0][1].spec

    @property
    def title(self) -> str:
        """In words."""
        return f"{self.spec.method!r} on {self.spec.dataset!r}"

    @property
    def begun(self) -> bool:
        """Did any cell leave a record, finished or failed?"""
        return any(result.record for _, result in self.results)

    @property
    def unfinished(self) -> list[CellResult]:
        """Cells that are not ok."""
        return [result for _, result in self.results if result.status is not Status.OK]


@dataclass(frozen=True, eq=False)
class Packed:
    """An entry with the bytes of its files by name."""

    entry: Entry
    files: Mapping[str, bytes]


def candidates(runs: Sequence[Run], methods: Sequence[str] = ()) -> list[Candidate]:
    """What there is to submit: configurations that work on their data set at all.

    Args:
        runs: cells of equal specification are put together, folds and seeds aside.
        methods: of these alone; empty: all.

    Raises:
        UnknownNameError: a method that no run has.
        IncompatibleError: a data set that runs describe differently.
        DataError: a cell that cannot be read.
    """
    found: dict[tuple[str, str, str], dict[tuple[int, int], tuple[Path, CellResult]]] = {}
    descriptions: dict[tuple[str, str], Mapping[str, Any]] = {}
    for run in runs:
        for result in run.cell_results():
            spec = result.spec
            own = descriptions.setdefault((spec.dataset, spec.data_digest), run.descriptions[spec.dataset])
            if own != run.descriptions[spec.dataset]:
                raise IncompatibleError(f"the runs describe {spec.dataset!r} differently", hint="add them one by one")
            cells = found.setdefault((spec.dataset, spec.method, spec.digest), {})
            earlier = cells.get((spec.fold, spec.seed))
            if earlier is None or earlier[1].status is not Status.OK:
                cells[spec.fold, spec.seed] = run.results, result
    _check_known(methods, {method for _, method, _ in found}, runs)
    chosen = [cells for (_, method, _), cells in found.items() if method in methods or not methods]
    every = [_candidate(cells, descriptions) for cells in chosen]
    return [one for one in every if any(r.status is not Status.NOT_APPLICABLE for _, r in one.results)]


def _check_known(methods: Sequence[str], known: set[str], runs: Sequence[Run]) -> None:
    for name in methods:
        if name not in known:
            raise UnknownNameError("method", name, known, where=f"of run {', '.join(run.id for run in runs)}")


def _candidate(
    cells: Mapping[tuple[int, int], tuple[Path, CellResult]], descriptions: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Candidate:
    results = [cells[place] for place in sorted(cells)]
    spec = results[0][1].spec
    return Candidate(results, descriptions[spec.dataset, spec.data_digest])


def check_submittable(candidate: Candidate, *, with_failures: bool = False) -> None:
    """Refuses what no table should have.

    Raises:
        UsageError: cells that did not finish (unless allowed), a part of the test cases, or code of unknown content.
    """
    spec, unfinished = candidate.spec, candidate.unfinished
    if spec.limit is not None:
        raise UsageError(
            f"{candidate.title} was tested on the first {spec.limit} cases only",
            expected="all test cases",
            hint="mrbench run without --limit",
        )
    if file_of(spec.method) and "+" not in spec.method_version:
        raise UsageError(
            f"{candidate.title} is of a plugin file whose content was not recorded", hint="mrbench run --force"
        )
    if not candidate.begun:
        raise UsageError(f"{candidate.title} was never computed", hint="mrbench run, or --method names others")
    if unfinished and not with_failures:
        first = unfinished[0]
        raise UsageError(
            f"{candidate.title} is not finished: {len(unfinished)} of {len(candidate.results)} cells",
            found=f"{first.spec.place} {first.status}: {first.reason.partition(chr(10))[0]}"[:300],
            hint="the mrbench run that made it continues; --method names others; --with-failures submits it as it is",
        )


def pack(
    candidate: Candidate, registry: Registry, *, metrics: Sequence[str] = (), submitter: str = "", note: str = ""
) -> Packed:
    """The entry of a candidate under every scoring protocol that its stored predictions allow.

    Args:
        metrics: packed besides those meant for tables and the parts of GED.

    Raises:
        UnknownNameError: a metric that is not installed.
        DataError: a cell that cannot be read.
    """
    wanted = _wanted(registry, candidate, metrics)
    files: dict[str, bytes] = {}
    scores: dict[str, dict[str, Score]] = {}
    faults: dict[str, dict[str, None]] = {}
    tested: dict[str, dict[str, str]] = {}
    for protocol in PROTOCOLS.values():
        scored = list(_scored(candidate, wanted, protocol, files, faults))
        for cell in scored:
            tested.setdefault(cell.place, {})[protocol.name] = digest_of_cases(cell.cases)
        if scored:
            scores[protocol.name] = scores_of(scored, Definitions.of(registry, protocol))
    files |= dict(_curves(candidate))
    used = {name for own in scores.values() for name in own}
    facts = {name: metric_facts(plugin.record) for name, plugin in wanted.items() if name in used}
    cells = tuple(_cell(candidate, result, faults, tested) for _, result in candidate.results)
    entry = _entry(candidate, registry, cells, facts, scores, files, _cut(submitter), stripped(note)[:LONG])
    return Packed(entry, files)


def _wanted(registry: Registry, candidate: Candidate, more: Sequence[str]) -> dict[str, Plugin[Any]]:
    extra = {registry.get("metric", name).key for name in more}
    every = applicable_metrics(registry, candidate.description["raters"])
    return {name: p for name, p in every.items() if p.record.table or name in PARTS or name in extra}


def _scored(
    candidate: Candidate,
    metrics: Mapping[str, Plugin[Any]],
    protocol: ScoringProtocol,
    files: dict[str, bytes],
    faults: dict[str, dict[str, None]],
) -> Iterator[CellScores]:
    """The finished cells' cases, which are written to ``files``; what metrics did wrong, to ``faults``."""
    for results, result in candidate.results:
        if result.status is not Status.OK or result.record is None:
            continue
        spec = result.spec
        try:
            stored = cell_scores(spec.folder(results), result.record, metrics, protocol)
        except IncompatibleError:  # no predictions were kept: this protocol cannot be had
            continue
        faults.setdefault(spec.place, {}).update(dict.fromkeys(map(_cut, stored.faults.values())))
        cases = _named(only(stored.cases, set(metrics)))
        files[f"{protocol.name}.{spec.place}.csv.gz"] = _gzipped(cases)
        yield CellScores(spec.fold, spec.seed, cases)


def _named(scores: CaseScores) -> CaseScores:
    """Cases and subjects by names that tell of no folder."""
    found = CaseScores()
    for case, subject, values in scores.cases:
        found.append(without_folders(case), without_folders(subject), values)
    return found


def _gzipped(scores: CaseScores) -> bytes:
    with TemporaryDirectory(prefix="mrbench-") as folder:
        path = Path(folder) / "cases"
        scores.write_csv(path)
        return path.read_bytes()


def _curves(candidate: Candidate) -> Iterator[tuple[str, bytes]]:
    for results, result in candidate.results:
        stages = read_curves(result.spec.folder(results) / "curves.csv") if result.status is Status.OK else {}
        if stages:
            text = io.StringIO(newline="")
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(CURVES)
            for stage, curve in stages.items():
                for at, (epoch, loss) in enumerate(zip(curve.epochs, curve.train, strict=True)):
                    validation = curve.validation[at] if curve.validation else ""
                    writer.writerow((stripped(stage), epoch - 1, repr(loss), validation))
            yield f"curves.{result.spec.place}.csv", text.getvalue().encode()


def _cell(
    candidate: Candidate,
    result: CellResult,
    faults: Mapping[str, Mapping[str, None]],
    tested: Mapping[str, Mapping[str, str]],
) -> CellEntry:
    record = result.record or {}
    profile, environment = record.get("profile", {}), record.get("environment", {})
    latest = max(str(own.record["written"]) for _, own in candidate.results if own.record)
    phases = profile.get("phases", {})
    return CellEntry(
        fold=result.spec.fold,
        seed=result.spec.seed,
        status=result.status,
        written=str(record.get("written", latest)),
        reason=_cut(result.reason.partition("\n")[0]),
        phases={name: Phase(float(p["seconds"]), float(p["peak_memory_mib"])) for name, p in phases.items()},
        parameters=profile.get("parameters"),
        milliseconds_per_image=profile.get("milliseconds_per_image"),
        epochs=profile.get("epochs"),
        alone=not environment.get("shared_device", False),
        trained_alone=not profile.get("trained_on_shared_device", False),
        versions={name: _cut(str(text)) for name, text in record.get("versions", {}).items()},
        environment={
            name: _cut(str(value))
            for name, value in environment.items()
            if name != "shared_device" and value not in (None, "")
        },
        faults=tuple(faults.get(result.spec.place, ()))[:50],
        cases=dict(tested.get(result.spec.place, {})),
    )


def _entry(
    candidate: Candidate,
    registry: Registry,
    cells: tuple[CellEntry, ...],
    metrics: Mapping[str, MetricFacts],
    scores: Mapping[str, Mapping[str, Score]],
    files: Mapping[str, bytes],
    submitter: str,
    note: str,
) -> Entry:
    spec = candidate.spec
    return Entry(
        method=spec.method,
        dataset=spec.dataset,
        kind=spec.kind,
        family=spec.family,
        sampler=_cut(spec.sampler),
        method_version=_cut(spec.method_version),
        capabilities=tuple(Capability(name) for name in sorted(spec.capabilities)),
        about=_about(candidate, registry),
        plugin_file=file_of(spec.method),
        options=_options(spec.options),
        preset=_cut(spec.preset),
        changed=_options(spec.changed),
        samples=spec.samples,
        conditions=spec.conditions,
        data=_data_facts(candidate.description),
        dataset_options=_options(spec.dataset_options),
        dataset_changed=_options(spec.dataset_changed),
        data_digest=spec.data_digest,
        split=spec.split,
        split_digest=spec.split_digest,
        training_digest=spec.training_digest,
        prediction_digest=spec.digest,
        cells=cells,
        metrics=dict(metrics),
        scores={protocol: dict(own) for protocol, own in scores.items()},
        reproduce=_command([result.spec for _, result in candidate.results]),
        written=max(cell.written for cell in cells),
        submitter=submitter,
        note=note,
        files={name: facts_of(content) for name, content in sorted(files.items())},
    )


def _about(candidate: Candidate, registry: Registry) -> MethodFacts:
    records = [result.record for _, result in candidate.results if result.record]
    plugin = _cut(str(records[0]["versions"].get("plugin", "")))
    if candidate.spec.method not in registry.names("method"):
        return MethodFacts("", "", "", plugin)
    record = registry.get("method", candidate.spec.method).record
    return MethodFacts(_cut(record.summary), _cut(record.citation), _cut(record.licence), plugin)


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


def metric_facts(record: MetricRecord) -> MetricFacts:
    """What an entry says of a metric."""
    low, high = (None if abs(bound) == float("inf") else float(bound) for bound in record.range)
    return MetricFacts(record.direction, record.needs, low, high, _cut(record.summary), record.table)


def _options(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _as_text(value)[:TEXT] for name, value in flat(values).items()}


def _as_text(value: Any) -> str:
    value = _without_paths(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _without_paths(value: Any) -> Any:
    if isinstance(value, str):
        return stripped(value)
    return [_without_paths(one) for one in value] if isinstance(value, list | tuple) else value


def _command(specs: Sequence[CellSpec]) -> str:
    """One command for all folds and seeds."""
    words = shlex.split(reproduce(specs[0]))
    at = words.index("--fold")
    folds = [word for fold in sorted({spec.fold for spec in specs}) for word in ("--fold", str(fold))]
    words[at : at + 2] = folds
    seeds = sorted({spec.seed for spec in specs})
    if len(seeds) > 1:
        words += ["--seeds", str(seeds[-1] - seeds[0] + 1)]
    return stripped_command(words)[:LONG]


def _cut(text: str) -> str:
    return stripped(text)[:TEXT]
