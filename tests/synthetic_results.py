"""A results folder as runs leave it, without any training: real cells, written by the harness's own writers."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.cards import MethodCard
from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.engine import phases
from mrbench.engine.cell import CellSpec, Status
from mrbench.engine.plan import Request, make_plan
from mrbench.engine.predict import Predictor
from mrbench.engine.record import make_record, write_record
from mrbench.engine.run import Run
from mrbench.engine.score import applicable_metrics, metrics_json, score_cell, scored_by
from mrbench.interfaces.draw import Draw, DrawKind
from mrbench.metrics.protocol import STRICT
from mrbench.registry import Registry, discover
from mrbench.seeds import derive_noise

Draws = Callable[[Case, np.random.Generator], Iterable[Draw]]


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """A method that was never trained.

    Attributes:
        draws: of one case; noise from the generator alone.
        change: fields of the cell's specification.
    """

    name: str
    draws: Draws
    change: Mapping[str, Any]


def method(name: str, samples: int = 4, *, raters: bool = True, classes: int = 2) -> Synthetic:
    """Samples, and maybe rater predictions: the raters' own masks, moved by a pixel or two."""
    capabilities = ("diverse", "personal") if raters else ("diverse",)

    def draws(case: Case, random: np.random.Generator) -> Iterator[Draw]:
        for _ in range(samples):
            yield Draw(DrawKind.SAMPLE, moved(case, int(random.integers(len(case.masks))), random, classes))
        for rater in range(len(case.masks)) if raters else ():
            yield Draw(DrawKind.RATER, moved(case, rater, random, classes), rater)

    change = {"kind": "method", "capabilities": capabilities, "samples": samples, "preset": "quick"}
    return Synthetic(name=name, draws=draws, change=change)


def fusion(name: str, *, classes: int = 2) -> Synthetic:
    """A consensus that saw the masks."""

    def draws(case: Case, random: np.random.Generator) -> Iterator[Draw]:
        yield Draw(DrawKind.CONSENSUS, probability(np.median(case.masks, axis=0).astype(int), classes))

    return Synthetic(
        name=name, draws=draws, change={"kind": "fusion", "capabilities": ("consensus", "sees_test_masks")}
    )


def external(name: str) -> Synthetic:
    """Predictions that were made elsewhere: no curves, and a profile without training."""
    own = method(name)
    return replace(
        own,
        name=f"external:{name}",
        change={**own.change, "kind": "external", "options": {"predictions": "mine.h5", "patterns": []}},
    )


def moved(case: Case, rater: int, random: np.random.Generator, classes: int) -> np.ndarray:
    """``(K, *spatial)`` probabilities of a rater's mask, shifted by up to two pixels."""
    shift = tuple(random.integers(-2, 3, 2).tolist())
    return probability(np.roll(case.masks[rater], shift, axis=(-2, -1)), classes)


def probability(labels: np.ndarray, classes: int) -> np.ndarray:
    """``(K, *spatial)``, 0.9 for the labels ``(*spatial)``."""
    hit = labels == np.arange(classes).reshape(-1, *[1] * labels.ndim)
    return np.where(hit, np.float32(0.9), np.float32(0.1 / (classes - 1)))


def write_results(
    results: Path,
    methods: Iterable[Synthetic],
    settings: Mapping[str, Any],
    *,
    folds: tuple[int, ...] = (0, 1),
    limit: int | None = None,
    dataset: str = "phantom",
    registry: Registry | None = None,
) -> Run:
    """Writes one run with finished cells of every method and fold."""
    registry = registry or discover()
    settings = {f"{dataset}.{name}": value for name, value in settings.items()}
    request = Request(
        methods=["staple"], datasets=[dataset], settings=settings, folds=folds, limit=limit, data=Path("data")
    )
    plan = make_plan(request, registry)
    pairs = [(one, _spec(one, cell.spec)) for cell in plan.cells for one in methods]
    cases, _ = phases.prepare(pairs[0][1], registry, Path("data"))
    for one, spec in pairs:
        _write_cell(one, spec, cases, registry, results)
    specs = [(spec, "") for _, spec in pairs]
    run = Run(plan.run_id, results, specs, plan.descriptions, "mrbench run --dataset phantom", "data")
    run.write()
    return run


def _spec(one: Synthetic, spec: CellSpec) -> CellSpec:
    change = {"options": {}, "training": {"name": one.name}, "changed": {}, **one.change}
    return replace(spec, method=one.name, family=one.name, prediction={}, **change)


def _write_cell(one: Synthetic, spec: CellSpec, cases: CaseSet, registry: Registry, results: Path) -> None:
    folder = spec.folder(results)
    folder.mkdir(parents=True)
    _, fold = phases.prepare(spec, registry, Path("data"))

    def trials(case: Case) -> Iterable[tuple[np.ndarray, Iterable[Draw]]]:
        yield case.present, one.draws(case, derive_noise(spec.seed, f"{one.name}/{case.id}"))

    record = MethodCard(name="synthetic", code="", config="", kind="fusion")
    predictor = Predictor(record, cases.description, spec.samples, trials)
    phases.predict(predictor, cases, fold.test[: spec.limit], folder, lambda event: None)
    profile: dict[str, Any] = {"phases": {"predict": {"seconds": 1.0, "peak_memory_mib": 200.0}}}
    if spec.kind == "method":
        _write_curves(folder / "curves.csv", len(one.name))
        profile["phases"]["fit"] = {"seconds": 20.0 * len(one.name), "peak_memory_mib": 400.0}
        profile |= {"parameters": 10_000 * len(one.name), "milliseconds_per_image": 2.0 * len(one.name)}
    scores = _scores(folder, registry, cases.description.raters)
    write_record(folder, make_record(spec, Status.OK, plugin="toys 1.0", device="cpu", **scores, profile=profile))


def _scores(folder: Path, registry: Registry, raters: str) -> dict[str, Any]:
    # Those of tables alone: the dear ones would take most of the time.
    names = [p.key for p in registry.plugins["metric"] if p.card.table or p.key.startswith("ged_p")]
    chosen = applicable_metrics(registry, raters, (*names, "ged_aa"))
    scored = score_cell(folder / "predictions.h5", chosen, STRICT)
    return {"scoring": scored_by(chosen, STRICT), "metrics": metrics_json(scored.values), "metric_faults": {}}


def _write_curves(path: Path, seed: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stage", "epoch", "train/total", "validation/total"])
        for stage in ("first", "second"):
            for epoch in range(30):
                loss = 1 / (epoch + seed)
                writer.writerow([stage, epoch, loss, loss + 0.002 * abs(epoch - 20)])
