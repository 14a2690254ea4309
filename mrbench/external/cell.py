"""From predictions that lie somewhere to cells of a run: as a method's cells, without a method."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mrbench.cards import MethodCard
from mrbench.data.case import Case
from mrbench.data.caseset import CaseSet
from mrbench.data.imported import find_dataset
from mrbench.data.mask_rules import read_rules
from mrbench.engine import phases
from mrbench.engine.cell import CONTENT, EXTERNAL, FOLDS, CellSpec, Status
from mrbench.engine.execute import is_kept
from mrbench.engine.plan import OptionValues, Plan, PlannedCell, chosen_folds, load_checked
from mrbench.engine.predict import Predictor
from mrbench.engine.profile import Profile
from mrbench.engine.record import make_record, write_record
from mrbench.engine.run import Run
from mrbench.engine.settings import Watch
from mrbench.engine.store import Attempt, BusyError, attempt, discard
from mrbench.engine.void import void_fact
from mrbench.errors import MrbenchError
from mrbench.external.coverage import check_coverage, tell_left_alone
from mrbench.external.form import Form, common_form
from mrbench.external.grid import Grid
from mrbench.external.source import Source, open_source
from mrbench.interfaces.draw import Draw
from mrbench.registry import Registry


@dataclass(frozen=True, kw_only=True)
class External:
    """Predictions to be scored.

    Attributes:
        predictions: the file or folder, as given.
        name: of the row.
        dataset: that they are of.
        patterns: of file names in a folder; empty: those that ``mrbench export`` writes.
        labels, threshold, invert: what is said of the values in files, as of :func:`read_rules`.
        settings: options of the data set, as given.
        folds: to score; empty: all.
        split: by name.
        data: the folder of prepared data.
    """

    predictions: Path
    name: str
    dataset: str
    patterns: Sequence[str] = ()
    labels: Sequence[str] = ()
    threshold: float | None = None
    invert: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    folds: Sequence[int] = ()
    split: str = "strict"
    data: Path


@dataclass(frozen=True, eq=False)
class PlannedExternal:
    """External predictions with their cells, one per fold; nothing has been computed.

    Attributes:
        plan: the cells.
        cases: of the data set.
        source: the predictions, open.
    """

    plan: Plan
    cases: CaseSet
    source: Source


@contextmanager
def planned_external(asked: External, registry: Registry) -> Iterator[PlannedExternal]:
    """Opens the data set and the predictions, checks that they belong together and lists the cells.

    Raises:
        UsageError: an unknown name, option, split, fold, path or format.
        DataError: predictions that do not cover the test cases or differ between cases; a wrong data set.
        DataAbsentError: the data set is not prepared.
    """
    plugin = find_dataset(asked.dataset, registry, asked.data)
    settings = OptionValues(asked.settings, [], [plugin])
    config, cases, warnings = load_checked(plugin, settings, asked.data)
    settings.check_used()
    split = cases.split(asked.split)
    split.check(cases.subjects, owner=plugin.key)
    folds = chosen_folds(asked.folds, len(split.folds), plugin.key)
    rules = read_rules(asked.labels, asked.threshold, asked.invert, cases.description.classes)
    with open_source(asked.predictions, asked.patterns, cases.description, rules) as source:
        warnings += check_coverage(
            asked.predictions, source.cases(cases.ids), cases, {k: split.folds[k] for k in folds}
        )
        warnings += tell_left_alone(asked.predictions, source.left_alone())
        tested = dict.fromkeys(cases.ids[index] for fold in folds for index in split.folds[fold].test)
        form = common_form(tested, source.form, cases.description.rater_names, asked.predictions)
        on = {
            "dataset": plugin.key,
            "dataset_options": config.values(),
            "dataset_changed": settings.of(plugin),
            "data_digest": cases.digest,
            "split": split.name,
            "split_digest": split.digest(cases.ids),
        }
        digest = source.digest()
        said = {"values": rules.as_json()} if rules else {}
        cells = tuple(PlannedCell(_spec(asked, form, digest, said, {**on, "fold": fold})) for fold in folds)
        plan = Plan(cells, {plugin.key: cases.description.as_json()}, tuple(warnings))
        yield PlannedExternal(plan, cases, source)


def _spec(asked: External, form: Form, digest: str, said: Mapping[str, Any], on: Mapping[str, Any]) -> CellSpec:
    key = EXTERNAL + asked.name
    return CellSpec(
        method=key,
        kind="external",
        family=key,
        gives=form.gives,
        method_version="1",
        capabilities=form.capabilities,
        options={
            "predictions": str(asked.predictions),
            "patterns": list(asked.patterns),
            CONTENT: digest,
            **said,
        },
        training={"predictions": digest},
        prediction={},
        preset="default",
        changed={},
        seed=0,
        samples=form.samples or 1,
        **on,
    )


def score_external(planned: PlannedExternal, run: Run, registry: Registry, watch: Watch) -> None:
    """Computes the cells of the run that are not there yet, then leaves the run.

    Raises:
        DataError: predictions that do not fit their case; names both. No cell of such predictions stays.
        BusyError: another process is at it.
    """
    done: list[Path] = []
    try:
        for spec, _ in run.cells:
            if is_kept(spec, run.results, watch):
                watch(spec, {"event": "kept"})
                continue
            _compute(spec, planned, registry, run.results, watch)
            done.append(spec.folder(run.results))
            watch(spec, {"event": "settled", "status": Status.OK.value, "reason": ""})
    except BusyError:
        raise
    except MrbenchError:
        for folder in done:
            discard(folder)
        raise
    run.write()


def _compute(spec: CellSpec, planned: PlannedExternal, registry: Registry, results: Path, watch: Watch) -> None:
    cases, profile = planned.cases, Profile()
    test = cases.split(spec.split).folds[spec.fold].test
    with attempt(spec.folder(results), marker="record.json") as work, _removed_on_faults(work):
        if work.finished:
            work.discard()
            return
        with profile.phase("predict"):
            phases.predict(_predictor(spec, planned), cases, test, work.folder, lambda event: watch(spec, event))
        planned.source.check_unchanged()
        with profile.phase("score"):
            metrics = phases.score(spec.title, registry, cases.description.raters, work.folder)
        write_record(work.folder, _record(spec, cases, profile, metrics | _facts(spec, cases, test)))
        work.complete()


@contextmanager
def _removed_on_faults(work: Attempt) -> Iterator[None]:
    # There is no checkpoint to continue from, whoever is at fault.
    try:
        yield
    except BaseException:
        work.discard()
        raise


def _predictor(spec: CellSpec, planned: PlannedExternal) -> Predictor:
    def trials(case: Case) -> Iterable[tuple[np.ndarray, Iterator[Draw]]]:
        yield case.present, planned.source.draws(case.id, Grid.of(case))

    # No number of answers is expected: there may be predictions for some of the raters alone.
    record = MethodCard(name=spec.method, code="")
    return Predictor(record, planned.cases.description, spec.samples, trials)


def _facts(spec: CellSpec, cases: CaseSet, test: Iterable[int]) -> dict[str, float]:
    return {FOLDS: len(cases.split(spec.split).folds)} | void_fact(cases, test)


def _record(spec: CellSpec, cases: CaseSet, profile: Profile, metrics: Mapping[str, Any]) -> dict[str, Any]:
    return make_record(
        spec,
        Status.OK,
        device="cpu",
        raters=cases.description.raters.value,
        native_grid=cases.description.native_grid,
        **metrics,
        profile=profile.as_json(),
    )
