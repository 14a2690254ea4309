"""What the package gives to scripts and notebooks beside its interfaces: run, load, compare.

>>> import mrbench                                                  # doctest: +SKIP
>>> results = mrbench.load_results("results")                       # doctest: +SKIP
>>> results.table("phantom").to_pandas()["ged"]["mean"]             # doctest: +SKIP
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrbench.arguments import StrPath, path_of, paths_of, seconds_of, text_of, texts_of, whole_of, wholes_of
from mrbench.configuration import as_text, flat
from mrbench.data.folder import RESULTS, data_folder
from mrbench.engine.conditions import Conditions, Precision, Sparsity
from mrbench.engine.jobs import Jobs
from mrbench.engine.launch import DEVICES, Launch
from mrbench.engine.plan import Request
from mrbench.engine.run import Run, folder_of_run, open_run
from mrbench.errors import DataError, IncompatibleError, UsageError
from mrbench.metrics.protocol import MAX_PREDICTIONS
from mrbench.registry import Registry, discover, discover_with_warnings
from mrbench.results.collection import Results, protocol_of
from mrbench.results.method_run import MethodRun, merged_runs

if TYPE_CHECKING:
    from mrbench.comparison.differences import Comparison

RUN = "run.json"
"""The file that tells a run's folder from others."""


def run(
    methods: str | Iterable[str],
    datasets: str | Iterable[str],
    *,
    preset: str | Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    folds: int | Iterable[int] = (),
    seed: int = 0,
    seeds: int = 1,
    split: str = "strict",
    test_on: str = "",
    samples: int = 50,
    limit: int | None = None,
    raters_present: int | None = None,
    sparsity: Sparsity | None = None,
    precision: Precision = "float32",
    data: StrPath | None = None,
    out: StrPath = RESULTS,
    device: str = "auto",
    threads: int = 1,
    jobs: Jobs = "auto",
    timeout: float | None = None,
    force: bool = False,
    plugin_files: StrPath | Iterable[StrPath] = (),
    observe: str | Iterable[str] = (),
    progress: bool = False,
) -> Results:
    """Runs methods on data sets, as ``mrbench run`` with the same arguments: the same run, cells and digests.

    Finished cells are kept, failed ones run again; after an interruption the same call continues. A cell that fails
    raises nothing: it is in the results with its reason. Each cell is computed in a fresh process, so that a script
    needs no ``if __name__ == "__main__"`` and a notebook keeps its memory.

    Args:
        methods, datasets: names; here and below, one of several may stand alone.
        preset: settings of the methods by name: ``paper`` (default), ``quick``, ``compact``, ``as_released``; or
            for each method its own, ``{"proseg": "quick"}``.
        settings: options of methods and data sets, ``{"proseg.epochs": 3}``; without an owner for all that have it.
        folds: to run; empty: all.
        seed, seeds: so many base seeds, from ``seed`` on.
        split: of the data sets, by name.
        test_on: another data set that is tested on, ``"NAME"`` for all its cases or ``"NAME:SPLIT"`` for the test cases
            of a split of it; empty: the data sets' own test cases.
        samples: drawn per case.
        limit: test on the first so many cases of each fold only.
        raters_present: train with the masks of so many raters of each image; None: of all who looked.
        sparsity: these raters are drawn anew at every step (``per_step``, default) or once for each case (``fixed``).
        precision: of convolutions in training, ``float32`` or ``bf16``.
        data: the folder of prepared data; None: ``$MRBENCH_DATA``, else the user's data folder.
        out: the results folder.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads: of a cell; a condition that its numbers depend on.
        jobs: cells side by side, which changes no number; ``auto``: as many as cores and free memory allow, one for
            each GPU.
        timeout: seconds per cell.
        force: compute finished cells again, trainings included.
        plugin_files: Python files with plugins of your own.
        observe: names of observers that are told of every cell.
        progress: show it on standard error.

    Raises:
        UsageError: an unknown name, option, split or fold, or a value out of bounds.
        DataAbsentError, DataError: a data set that is not there or is wrong.
        KeyboardInterrupt: after the running cells were stopped; their checkpoints stay.
    """
    first = whole_of("seed", seed)
    present = None if raters_present is None else whole_of("raters_present", raters_present, 1)
    request = Request(
        methods=texts_of("methods", methods),
        datasets=texts_of("datasets", datasets),
        # As texts: what was set is part of a run, whose name must not depend on who asked.
        settings={name: as_text(value) for name, value in flat(_mapping("settings", settings, "None")).items()},
        presets=_presets(preset),
        folds=wholes_of("folds", folds),
        seeds=range(first, first + whole_of("seeds", seeds, 1)),
        samples=_samples(samples),
        limit=None if limit is None else whole_of("limit", limit, 1),
        split=text_of("split", split),
        test_on=text_of("test_on", test_on),
        conditions=Conditions.chosen(present, sparsity, precision, whole_of("threads", threads, 1)),
        data=data_folder(None if data is None else path_of("data", data)),
    )
    launch = Launch(
        request=request,
        out=path_of("out", out),
        device=_device(device),
        jobs="auto" if jobs == "auto" else whole_of("jobs", jobs, 1),
        timeout=None if timeout is None else seconds_of("timeout", timeout),
        force=force,
        plugin_files=paths_of("plugin_files", plugin_files),
        observe=texts_of("observe", observe),
    )
    registry = discover_with_warnings(launch.plugin_files)
    planned = launch.planned(registry, launch.command)
    for line in planned.warnings:
        warnings.warn(line, stacklevel=2)
    planned.compute(progress=progress)
    opened = open_run(str(planned.run.folder), planned.run.results)
    return _of_runs([opened], registry)


def _presets(preset: str | Mapping[str, str] | None) -> dict[str, str]:
    if isinstance(preset, str):
        return {"": preset}
    return {owner: text_of("preset", name) for owner, name in _mapping("preset", preset, "a name").items()}


def _mapping(name: str, value: Mapping[str, Any] | None, otherwise: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        expected = f"{otherwise}, or a mapping by the names of methods and options"
        raise UsageError(f"{name} has a wrong value", expected=expected, found=repr(value)[:200])
    return value or {}


def _samples(samples: int) -> int:
    if (number := whole_of("samples", samples, 1)) > MAX_PREDICTIONS:
        raise UsageError("samples has a wrong value", expected=f"at most {MAX_PREDICTIONS}", found=str(number))
    return number


def _device(device: str) -> str:
    if device not in DEVICES:
        raise UsageError("device has a wrong value", expected=f"one of {', '.join(DEVICES)}", found=repr(device))
    return device


def load_results(path: StrPath = RESULTS, *, run: str = "", plugin_files: StrPath | Iterable[StrPath] = ()) -> Results:
    """What lies in a results folder, a run's folder, or a leaderboard: its folder or an archive of it.

    A damaged record costs its cell only: it has the status ``damaged``, and its reason says what mends it.

    Args:
        path: of the folder, or of a ``.zip`` or ``.tar.gz`` archive of a leaderboard; a run's ``run.json`` stands for
            its folder.
        run: id of one run of a results folder, or ``last``; empty: all of them.
        plugin_files: files with methods, data sets or metrics that the results come from; one may stand alone.

    Raises:
        UsageError: nothing of that kind is there.
        UnknownNameError: no such run; names the nearest.
        DataError, IncompatibleError: it cannot be read.
    """
    folder, registry = path_of("path", path).resolve(), discover(files=paths_of("plugin_files", plugin_files))
    if folder.name == RUN and folder.is_file():
        folder = folder.parent
    if text_of("run", run):
        return _of_runs([open_run(str(folder_of_run(run, folder)), folder)], registry)
    if (folder / "runs").is_dir():
        return _of_results(folder, registry)
    if (folder / RUN).is_file():
        return _of_runs([open_run(str(folder), folder.parent.parent)], registry)
    from mrbench.leaderboard.load import is_leaderboard, load_leaderboard

    if is_leaderboard(folder):
        return load_leaderboard(folder, registry)
    raise UsageError(
        f"there are no results in {folder}",
        expected=f"a results folder (runs/), a run's folder ({RUN}), a leaderboard (records/) or its archive",
        hint="mrbench run writes to results",
    )


def _of_results(folder: Path, registry: Registry) -> Results:
    opened, notes = [], []
    for path in sorted((folder / "runs").glob(f"*/{RUN}"), key=lambda path: path.stat().st_mtime):
        try:
            opened.append(open_run(str(path.parent), folder))
        except (DataError, IncompatibleError) as error:
            notes.append(f"{error.fault}; {error.hint}")
    return _of_runs(opened, registry, notes)


def _of_runs(runs: Sequence[Run], registry: Registry, notes: Sequence[str] = ()) -> Results:
    return Results(tuple(merged_runs(runs)), registry, tuple(notes), tuple(runs))


def compare(
    a: MethodRun,
    b: MethodRun,
    *,
    protocol: str = "strict",
    metrics: str | Iterable[str] = (),
    samples: int | None = None,
    allow_mixed: bool = False,
    plugin_files: StrPath | Iterable[StrPath] = (),
) -> "Comparison":
    """Paired differences, B less A, with what other subjects and other trainings leave open, as ``mrbench compare``.

    Args:
        a, b: on one data set; ``Results.method`` gives them.
        protocol: the scoring protocol.
        metrics: to compare, one or several; none: those meant for tables.
        samples: score the first so many samples of both; None: all, and nothing is tested where their numbers differ.
        allow_mixed: compare on other data or splits too, labelled and untested.
        plugin_files: files with the metrics that are not installed; one may stand alone.

    Raises:
        UsageError: two data sets, one method run with itself, or what is no method run.
        IncompatibleError: other data or splits, nothing in common, or scores that cannot be had.
        UnknownNameError: an unknown protocol or metric.
        DataError: a file that cannot be read.
    """
    from mrbench.comparison.pairs import Pair, Pairing
    from mrbench.comparison.report import ComparisonReport
    from mrbench.results.reader import ScoreReader

    for name, side in (("a", a), ("b", b)):
        if not isinstance(side, MethodRun):
            hint = "results.method(NAME) of load_results(FOLDER) gives one"
            raise UsageError(f"{name} has a wrong value", expected="a method run", found=repr(side)[:200], hint=hint)
    if a.dataset != b.dataset or a.same_as(b):
        what = "on two data sets" if a.dataset != b.dataset else "the same cells"
        raise UsageError(f"{a.title} and {b.title} are {what}", expected="two method runs on one data set")
    registry = discover(files=paths_of("plugin_files", plugin_files))
    keys = tuple(registry.get("metric", name).key for name in texts_of("metrics", metrics))
    budget = None if samples is None else whole_of("samples", samples, 1)
    reader = ScoreReader(registry, protocol_of(protocol), keys, budget)
    report = ComparisonReport.of(Pairing("", [Pair(a, b)]), reader, allow_mixed=allow_mixed)
    return report.comparisons[0]
