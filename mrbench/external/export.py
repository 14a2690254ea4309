"""A run's stored predictions as files that other programs open, and that ``mrbench score --predictions`` reads back."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, islice
from math import prod
from pathlib import Path

import numpy as np

from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.engine.cell import COMPUTED_AGAIN, PREDICTIONS, CellSpec, Status
from mrbench.engine.predictions import StoredDraw, draws_of, read_tables
from mrbench.engine.record import checked_file
from mrbench.engine.result import Result
from mrbench.engine.run import Run
from mrbench.engine.tested import tested_indices
from mrbench.errors import DataError, MrbenchError, UnknownNameError, UsageError
from mrbench.external.arrays import FIELDS
from mrbench.external.writers import TRUTH, VOID, Writer, open_writer
from mrbench.files import made_folder
from mrbench.interfaces.case_tables import CaseTables
from mrbench.pictures import load_cases
from mrbench.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What of a run is exported.

    Attributes:
        kind: one of ``mrbench.external.writers.FORMATS``; empty: PNG for slices, NIfTI for volumes.
        methods, folds, cases: to export; empty: all.
        truth: the raters' masks as well.
    """

    kind: str = ""
    methods: Sequence[str] = ()
    folds: Sequence[int] = ()
    cases: Sequence[str] = ()
    truth: bool = False


@dataclass(frozen=True)
class Exported:
    """The predictions of one method on one data set, written.

    Attributes:
        path: the file or folder.
        cells: that they come from.
        cases: names of those written.
    """

    path: Path
    cells: tuple[CellSpec, ...]
    cases: tuple[str, ...]


def export_run(run: Run, results: Sequence[Result], registry: Registry, to: Path, choice: Choice) -> list[Exported]:
    """Writes a file or folder per method, data set and seed into a new folder, which appears when all are there.

    Predictions are masks: a run keeps no probabilities. They are background in void pixels, which are written beside
    them. A method that has several trials of a case, each with raters of
    its own as truth, is left out unless it is asked for.

    Raises:
        UnknownNameError: a method, fold or case that the run has not.
        UsageError: the folder is there already, the format cannot hold the cases, or a method has several trials.
        DataError: damaged predictions.
        MrbenchError: no cell among them has finished.
    """
    groups = _groups(_chosen(run, results, choice))
    names = _names(list(groups))
    datasets = {cells[0].domain: cells[0] for cells in groups.values()}
    loaded = {name: load_cases(spec, registry, run) for name, spec in datasets.items()}
    with made_folder(to) as folder:
        found = [_export(run, cells, loaded[key[0]], folder / names[key], choice) for key, cells in groups.items()]
        written = [one for one in found if one.cases]
        tested = {case for one in written for case in one.cases}
        for case in choice.cases:
            if case not in tested:
                raise UnknownNameError("case", case, tested, where=f"among the predictions of run {run.id}")
    return [Exported(to / one.path.name, one.cells, one.cases) for one in written]


Key = tuple[str, str, int]
"""Data set, method, seed."""


def _chosen(run: Run, results: Sequence[Result], choice: Choice) -> list[CellSpec]:
    for kind, asked, known in (
        ("method", choice.methods, {result.spec.method for result in results}),
        ("fold", [str(fold) for fold in choice.folds], {str(result.spec.fold) for result in results}),
    ):
        for name in asked:
            if name not in known:
                raise UnknownNameError(kind, name, known, where=f"of run {run.id}")
    done = [
        result.spec
        for result in results
        if result.status is Status.OK
        and (not choice.methods or result.spec.method in choice.methods)
        and (not choice.folds or result.spec.fold in choice.folds)
    ]
    kept = [spec for spec in done if choice.methods or _has_one_trial(spec, run)]
    if not kept:
        why = "only methods with several trials of a case" if done else "no finished cell"
        raise MrbenchError(f"run {run.id} has nothing to export", found=why, hint=f"mrbench show {run.id}")
    return kept


def _has_one_trial(spec: CellSpec, run: Run) -> bool:
    path = checked_file(spec.folder(run.results), PREDICTIONS)
    return all(len(trials) == 1 for _, _, trials in islice(read_tables(path), 1))


def _groups(cells: Sequence[CellSpec]) -> dict[Key, tuple[CellSpec, ...]]:
    def key(spec: CellSpec) -> Key:
        return spec.domain, spec.method, spec.seed

    return {at: tuple(group) for at, group in groupby(sorted(cells, key=lambda c: (key(c), c.fold)), key)}


def _names(keys: Sequence[Key]) -> dict[Key, str]:
    # No more in a name than tells the groups apart.
    several = [len({key[part] for key in keys}) > 1 for part in range(3)]
    names = {}
    for key in keys:
        dataset, method, seed = key
        parts = [dataset] * several[0] + [method] + [f"seed{seed}"] * several[2]
        names[key] = "-".join(parts).replace(":", "--")
    return names


def _export(run: Run, cells: tuple[CellSpec, ...], cases: CaseSet, path: Path, choice: Choice) -> Exported:
    places = _places(cases, cells, choice.cases)
    if not places:
        return Exported(path, cells, ())
    kind = choice.kind or ("nifti" if cases.is_volume else "png")
    writer, path = open_writer(path, kind, list(places), cases.description)
    left = dict(places)
    with closing(writer):
        for spec in cells:
            for case_id, tables, draws in _predictions(spec, run):
                if case_id in left:
                    case = cases[left.pop(case_id)]
                    _write_case(writer, case, tables, draws, cases, spec)
                    if choice.truth:
                        _write_truth(writer, case)
    if left:
        what = f"the stored predictions of {cells[0].method!r} lack {len(left)} of {len(places)} cases"
        raise DataError(what, found=f"none of {next(iter(left))!r}", hint=COMPUTED_AGAIN)
    return Exported(path, cells, tuple(places))


def _places(cases: CaseSet, cells: Sequence[CellSpec], asked: Sequence[str]) -> dict[str, int]:
    """Index in the data set of each case to be written."""
    folds: dict[int, int] = {}
    for spec in cells:
        for index in tested_indices(spec, cases).tolist():
            if folds.setdefault(index, spec.fold) != spec.fold:
                raise UsageError(
                    f"case {cases.ids[index]!r} is tested in folds {folds[index]} and {spec.fold}",
                    hint="--fold K exports one of them",
                )
    return {cases.ids[index]: index for index in folds if not asked or cases.ids[index] in asked}


def _predictions(spec: CellSpec, run: Run) -> Iterator[tuple[str, CaseTables, list[StoredDraw]]]:
    path = checked_file(spec.folder(run.results), PREDICTIONS)
    for case_id, _, trials in read_tables(path):
        if len(trials) != 1:
            raise UsageError(
                f"{spec.method!r} has {len(trials)} trials of case {case_id!r}, each with raters of its own as truth",
                expected="one set of predictions of each case",
                hint="--method chooses others",
            )
        yield case_id, trials[0], draws_of(trials[0])


def _write_case(
    writer: Writer, case: Case, tables: CaseTables, draws: Sequence[StoredDraw], cases: CaseSet, spec: CellSpec
) -> None:
    if not np.array_equal(tables.truth, case.present):
        raise UsageError(f"{spec.method!r} is scored against some of the raters of case {case.id!r} alone")
    fields: list[tuple[str, list[StoredDraw]]] = [
        (field, [draw for draw in draws if draw.kind is kind]) for field, kind in FIELDS.items()
    ]
    for field, own in fields:
        if own:
            labels = (_labels(draw.bits, cases.description.n_classes, case) for draw in own)
            writer.add(case, field, [draw.rater for draw in own], labels)
    if case.valid is not None:
        writer.add(case, VOID, [None], [(~case.valid).astype(np.uint8)])


def _write_truth(writer: Writer, case: Case) -> None:
    present = np.flatnonzero(case.present).tolist()
    writer.add(case, TRUTH, present, (case.masks[rater].astype(np.uint8) for rater in present))


def _labels(bits: np.ndarray, classes: int, case: Case) -> np.ndarray:
    """``(*spatial)`` uint8 labels from ``(F, bytes)`` bits."""
    spatial = case.masks.shape[1:]
    pixels = prod(spatial)
    if bits.shape != (classes - 1, -(-pixels // 8)):
        raise DataError(f"the stored predictions of case {case.id!r} are on another grid", hint=COMPUTED_AGAIN)
    labels = np.zeros(pixels, np.uint8)
    for label, mask in enumerate(np.unpackbits(bits, axis=1, count=pixels), start=1):
        labels[mask > 0] = label
    return labels.reshape(spatial)
