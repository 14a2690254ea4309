"""The phases that every kind of cell goes through, wherever its predictions come from: prepare, predict, score."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.imported import find_dataset
from mrbench.data.loading import cases_of, configured
from mrbench.data.splits import Fold
from mrbench.engine.cell import CASES, PREDICTIONS, CellSpec, DataChoice
from mrbench.engine.predict import Predictor
from mrbench.engine.predictions import PredictionWriter
from mrbench.engine.score import applicable_metrics, metrics_json, score_cell, scored_by
from mrbench.engine.tested import split_digest, tested_indices
from mrbench.errors import DataError, MrbenchError
from mrbench.metrics.protocol import STRICT
from mrbench.naming import BUILT_IN
from mrbench.registry import Registry

Emit = Callable[[dict[str, Any]], None]


def prepare(spec: CellSpec, registry: Registry, data: Path) -> tuple[CaseSet, Fold]:
    """The cases and the fold that a cell was planned on.

    Raises:
        DataError: they are others by now.
        UnknownNameError, DataAbsentError: the data set is not installed or not prepared.
    """
    own = {name: getattr(spec, name) for name in DataChoice.__dataclass_fields__}
    cases = _loaded(DataChoice(**own), registry, data)
    return cases, cases.split(spec.split).folds[spec.fold]


def tested_on(spec: CellSpec, registry: Registry, data: Path, cases: CaseSet) -> tuple[CaseSet, np.ndarray]:
    """The data set that a cell is tested on, and the indices ``(n,)`` of the cases; errors as of :func:`prepare`.

    Args:
        cases: that it was planned on.
    """
    other = _loaded(spec.test_on, registry, data) if spec.test_on else cases
    return other, tested_indices(spec, other)


def _loaded(choice: DataChoice, registry: Registry, data: Path) -> CaseSet:
    plugin = find_dataset(choice.dataset, registry, data)
    cases = cases_of(plugin, configured(plugin, choice.dataset_options), data)
    for what, found, expected in (
        ("data", cases.digest, choice.data_digest),
        ("split", split_digest(cases, choice.split), choice.split_digest),
    ):
        if found != expected:
            raise DataError(
                f"the {what} of data set {plugin.key!r} changed since the run was planned",
                expected=f"digest {expected[:12]}",
                found=f"digest {found[:12]}",
                hint="run the command again",
            )
    return cases


def predict(predictor: Predictor, cases: CaseSet, test: np.ndarray, folder: Path, emit: Emit) -> None:
    """Writes ``predictions.h5`` for the cases ``test``, ``(n,)`` indices, one after another."""
    with PredictionWriter(folder / PREDICTIONS) as writer:
        for case in tested_cases(cases, test, emit):
            writer.add(case.id, case.subject, predictor.predict(case))


def tested_cases(cases: CaseSet, test: np.ndarray, emit: Emit) -> Iterator[Case]:
    """The cases ``test``, ``(n,)`` indices; tells of those that are done."""
    for done, index in enumerate(map(int, test), 1):
        yield cases[index]
        if done % 10 == 0 or done == len(test):
            emit({"event": "cases", "done": done, "total": len(test)})


def score(title: str, registry: Registry, raters: str, folder: Path) -> dict[str, Any]:
    """Writes ``cases.csv.gz`` from the stored predictions; returns what the record holds of the scores.

    Args:
        title: of the cell.
        raters: of its data set, one of the values of ``Raters``.

    Raises:
        MrbenchError: a built-in metric failed. One of a third party that fails costs the others nothing.
    """
    chosen = applicable_metrics(registry, raters)
    scored = score_cell(folder / PREDICTIONS, chosen, STRICT)
    scored.cases.write_csv(folder / CASES)
    built_in = [fault for name, fault in scored.faults.items() if chosen[name].distribution == BUILT_IN]
    if built_in:
        raise MrbenchError(f"{title} cannot be scored", found=built_in[0])
    return {
        "protocol": STRICT.name,
        "scoring": scored_by(chosen, STRICT),
        "metrics": metrics_json(scored.values),
        "metric_faults": scored.faults,
    }
