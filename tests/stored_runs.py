"""Runs as they lie on disk, with scores or draws that a test chooses: nothing is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.predict import Predicted
from mrbench.engine.predictions import PredictionWriter
from mrbench.engine.record import make_record, read_record, reproduce, write_record
from mrbench.engine.run import Run, failed_folder
from mrbench.engine.score import applicable_metrics, metrics_json, score_cell, scored_by
from mrbench.interfaces.draw import Draw, DrawKind, binary_probability
from mrbench.interfaces.metric import Key
from mrbench.metrics.protocol import STRICT
from mrbench.metrics.scores import EVERYWHERE, ScoreCollector, Scores
from mrbench.metrics.scoring import reduce_fold
from mrbench.metrics.tables import TableBuilder
from mrbench.registry import Registry, discover

DESCRIPTION = {
    "name": "phantom", "version": "1", "classes": ["background", "lesion"], "channels": ["CT"], "raters": "identified",
    "rater_names": ["a", "b"], "unit": "slice", "normalisation": "byte", "augmentation": [], "native_grid": True,
}  # fmt: skip
SUBJECT_OF_CASE = "subject {}, case {}"

Values = Mapping[str, Mapping[str, Mapping[int | None, float]]]
"""By case, metric and rater."""

Drawn = Mapping[str, tuple[np.ndarray, Sequence[np.ndarray], Mapping[int, np.ndarray]]]
"""By case: masks ``(R, H, W)``, samples ``(H, W)`` and rater predictions ``(H, W)``, as probabilities."""


_REGISTRY = discover()  # now, before a test installs plugins of its own


def registry() -> Registry:
    """All plugins, found once."""
    return _REGISTRY


@dataclass(frozen=True)
class StoredCell:
    """A cell with the scores of its cases.

    Attributes:
        values: the scores; the subject of a case is what stands before its comma.
        drawn: instead of values, what was predicted, to be scored.
        spec: fields of the specification that differ from the usual ones.
    """

    method: str
    values: Values = field(default_factory=dict)
    drawn: "Drawn" = field(default_factory=dict)
    fold: int = 0
    seed: int = 0
    spec: Mapping[str, Any] = field(default_factory=dict)
    status: Status = Status.OK


def cases(metric: str, *subjects: Sequence[float]) -> dict[str, dict[str, dict[int | None, float]]]:
    """One metric without raters: for each subject, the values of its cases."""
    return {
        SUBJECT_OF_CASE.format(s, c): {metric: {None: value}}
        for s, values in enumerate(subjects)
        for c, value in enumerate(values)
    }


def command_of(record: Mapping[str, Any]) -> str:
    """The command that computes the cell of a record again."""
    return reproduce(CellSpec.from_json(record["spec"]), record.get("metrics", ()))


def store_run(results: Path, name: str, *cells: StoredCell, dataset: str = "phantom") -> Run:
    """Writes a run with its cells under ``results``."""
    specs = [spec_of(cell, dataset) for cell in cells]
    for spec, cell in zip(specs, cells, strict=True):
        _store(spec, cell, results)
    run = Run(name, results, [(spec, "") for spec in specs], {dataset: DESCRIPTION}, "mrbench run")
    run.write()
    return run


def scores_of(values: Values) -> Scores:
    """Scores as a cell leaves them; a metric that some case has applies to all of them."""
    collector, every = ScoreCollector(), dict.fromkeys(name for metrics in values.values() for name in metrics)
    for case, metrics in values.items():
        own = {(n, Key(1, rater)): np.array([value]) for n, by in metrics.items() for rater, value in by.items()}
        without = [(name, EVERYWHERE) for name in every if name not in metrics]
        collector.append(case, case.partition(",")[0], own, without)
    return collector.scores()


Line = tuple[str, str, str, int, int | None, tuple[float, ...]]
"""Case, subject, metric, class (0: no value), rater and statistics."""


def lines_of(scores: Scores) -> list[Line]:
    """Every row, as the columns hold it."""
    ends, keys = scores.start.tolist(), zip(scores.case, scores.metric, scores.label, scores.rater, strict=True)
    return [
        (scores.cases[c], scores.subjects[c], scores.metrics[m], int(k), None if r < 0 else int(r),
         tuple(scores.numbers[ends[n] : ends[n + 1]].tolist()))
        for n, (c, m, k, r) in enumerate(keys)
    ]  # fmt: skip


def spec_of(cell: StoredCell, dataset: str = "phantom") -> CellSpec:
    """The specification of a cell."""
    record = registry().get("method", cell.method).card
    spec = CellSpec(
        method=cell.method, dataset=dataset, kind=record.kind, family=record.family, gives=record.gives,
        method_version="1", capabilities=tuple(sorted(record.capabilities)), options={}, training={}, prediction={},
        preset="quick" if "quick" in record.presets else "default", changed={}, dataset_options={}, dataset_changed={},
        data_digest="d" * 64, split="strict", split_digest="s" * 64, fold=cell.fold, seed=cell.seed, samples=50,
    )  # fmt: skip
    return replace(spec, **cell.spec)


def _store(spec: CellSpec, cell: StoredCell, results: Path) -> None:
    folder = spec.folder(results)
    if cell.status is not Status.OK:
        folder = failed_folder(folder)
    folder.mkdir(parents=True)
    metrics = applicable_metrics(registry(), "identified")
    scores = scores_of(cell.values)
    if cell.drawn:
        store_draws(folder / "predictions.h5", cell.drawn)
        scores = score_cell(folder / "predictions.h5", metrics, STRICT).cases
    loaded = {name: plugin.load() for name, plugin in metrics.items()}
    phases = {"predict": {"seconds": 1.0, "peak_memory_mib": 1.0}}
    record = make_record(
        spec, cell.status, reason="" if cell.status is Status.OK else "what went wrong", protocol="strict",
        scoring=scored_by(metrics, STRICT), metrics=metrics_json(reduce_fold(scores, loaded, STRICT)),
        metric_faults={}, profile={"phases": phases},
    )  # fmt: skip
    scores.write_csv(folder / "cases.csv.gz")
    write_record(folder, record)


def store_draws(path: Path, drawn: Drawn) -> None:
    """Writes predictions."""
    with PredictionWriter(path) as writer:
        for case, (masks, samples, personal) in drawn.items():
            builder = TableBuilder(masks.astype(np.uint8), np.ones(len(masks), bool), 2)
            for probability in samples:
                builder.add(Draw(DrawKind.SAMPLE, binary_probability(probability)))
            for rater, probability in personal.items():
                builder.add(Draw(DrawKind.RATER, binary_probability(probability), rater))
            writer.add(case, case.partition(",")[0], [Predicted(builder.finish(), builder.packed())])


def vouch_again(folder: Path) -> None:
    """Writes a cell's record again, which names the files beside it as they are now."""
    record = read_record(folder)
    assert record is not None
    write_record(folder, record)
