"""Launching a run: from what somebody asks for, on a command line or in Python, to its finished cells."""

import json
import shlex
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from mrbench.configuration import flat
from mrbench.data.folder import RESULTS, data_folder
from mrbench.engine.cell import CellSpec
from mrbench.engine.conditions import Conditions, Precision, Sparsity
from mrbench.engine.observers import choose
from mrbench.engine.plan import Plan, Request, make_plan
from mrbench.engine.result import Result
from mrbench.engine.run import Run, Settings, Watch, execute, open_run, run_of
from mrbench.errors import UsageError
from mrbench.metrics.protocol import MAX_PREDICTIONS
from mrbench.registry import Registry, discover_with_warnings

DEVICES = ("auto", "cpu", "cuda", "mps")

StrPath = str | PathLike[str]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What is asked for, and how it is computed.

    Attributes:
        out: the results folder.
        device, jobs, timeout, force: those of :class:`Settings`.
        plugin_files: with plugins of one's own; ``observe``: names of observers.
    """

    request: Request
    out: Path = RESULTS
    device: str = "auto"
    jobs: int = 1
    timeout: float | None = None
    force: bool = False
    plugin_files: tuple[Path, ...] = ()
    observe: tuple[str, ...] = ()

    def planned(self, registry: Registry, command: str) -> "PlannedRun":
        """Its run, nothing of which is computed or written yet; ``command``: the command line to be recorded.

        Raises:
            UsageError: an unknown name, option, split or fold, or an option that nothing takes.
            DataAbsentError, DataError: a data set that is not there or is wrong.
        """
        observers = choose(registry, self.observe)
        plan = make_plan(self.request, registry)
        settings = Settings(
            data=self.request.data,
            device=self.device,
            jobs=self.jobs,
            timeout=self.timeout,
            force=self.force,
            plugin_files=tuple(path.resolve() for path in registry.files.values()),
            metric_files=tuple(path.resolve() for path in registry.files_with("metric")),
            observers=observers,
        )
        run = run_of(plan, self.out, self.request.data, command)
        return PlannedRun(plan, run, settings, (*plan.warnings, *self.request.conditions.warnings(self.device)))

    @property
    def command(self) -> str:
        """The command line that asks for the same; what is as usual is left out."""
        asked, seeds = self.request, self.request.seeds
        words = [
            *_repeated("--method", asked.methods),
            *_repeated("--dataset", asked.datasets),
            *_repeated("--preset", (f"{owner}={name}" if owner else name for owner, name in asked.presets.items())),
            *_repeated("--set", (f"{name}={value}" for name, value in asked.settings.items())),
            *_repeated("--fold", asked.folds),
            *_unusual("--split", asked.split, Request.split),
            *_unusual("--seed", seeds[0], 0),
            *_unusual("--seeds", len(seeds), 1),
            *_unusual("--samples", asked.samples, Request.samples),
            *_unusual("--limit", asked.limit, None),
            *asked.conditions.command_line,
            *_repeated("--plugin-file", self.plugin_files),
            *_unusual("--data", asked.data, data_folder(None)),
            *_unusual("--out", self.out, RESULTS),
            *_repeated("--observe", self.observe),
            *_unusual("--device", self.device, Launch.device),
            *_unusual("--jobs", self.jobs, 1),
            *_unusual("--timeout", self.timeout, None),
            *(["--force"] if self.force else []),
        ]
        return shlex.join(["mrbench", "run", *words])


def _repeated(flag: str, values: Any) -> list[str]:
    return [word for value in values for word in (flag, str(value))]


def _unusual(flag: str, value: Any, usual: Any) -> list[str]:
    return [] if value == usual else [flag, str(value)]


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """A run before it is computed; ``warnings``: what there is to say about its data and its conditions."""

    plan: Plan
    run: Run
    settings: Settings
    warnings: tuple[str, ...] = field(default=())

    def compute(self, *, progress: bool) -> list[Result]:
        """Computes what is missing; ``progress``: shown on standard error. Errors: those of :func:`execute`."""
        with self._view(progress) as watch:
            return execute(self.run, self.settings, watch)

    def _view(self, progress: bool) -> AbstractContextManager[Watch]:
        if not progress:
            return nullcontext(_silent)
        from mrbench.engine.progress import open_progress

        return open_progress(self.plan, self.run, self.settings)


def _silent(spec: CellSpec, event: Mapping[str, Any]) -> None:
    pass


def run(
    methods: str | Sequence[str],
    datasets: str | Sequence[str],
    *,
    preset: str | Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    folds: Sequence[int] = (),
    seed: int = 0,
    seeds: int = 1,
    split: str = "strict",
    samples: int = 50,
    limit: int | None = None,
    raters_present: int | None = None,
    sparsity: Sparsity | None = None,
    precision: Precision = "float32",
    data: StrPath | None = None,
    out: StrPath = RESULTS,
    device: str = "auto",
    jobs: int = 1,
    timeout: float | None = None,
    force: bool = False,
    plugin_files: Sequence[StrPath] = (),
    observe: Sequence[str] = (),
    progress: bool = False,
) -> Run:
    """Runs methods on data sets, as ``mrbench run`` with the same arguments: the same run, cells and digests.

    Finished cells are kept, failed ones run again; after an interruption the same call continues. A cell that fails
    raises nothing: it is in the result with its reason, as ``run(...).cell_results()`` tells. Each cell is computed in
    a fresh process, so that a script needs no ``if __name__ == "__main__"`` and a notebook keeps its memory.

    Args:
        methods, datasets: names; one may stand alone.
        preset: settings of the methods by name: ``paper`` (default), ``quick``, ``as_released``; or for each method
            its own, ``{"proseg": "quick"}``.
        settings: options of methods and data sets, ``{"proseg.epochs": 3}``; without an owner for all that have it.
        folds: to run; empty: all.
        seed, seeds: so many base seeds, from ``seed`` on.
        split: of the data sets, by name.
        samples: drawn per case.
        limit: test on the first so many cases of each fold only.
        raters_present: train with the masks of so many raters of each image; None: of all who looked.
        sparsity: these raters are drawn anew at every step (``per_step``, default) or once for each case (``fixed``).
        precision: of convolutions in training, ``float32`` or ``bf16``.
        data: the folder of prepared data; None: ``$MRBENCH_DATA``, else the user's data folder.
        out: the results folder.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        jobs: cells side by side.
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
    _check(seed=(seed, 0), seeds=(seeds, 1), samples=(samples, 1), limit=(limit, 1), jobs=(jobs, 1))
    _check_computing(samples, device, timeout)
    request = Request(
        methods=_several(methods),
        datasets=_several(datasets),
        settings={name: _as_text(value) for name, value in flat(settings or {}).items()},
        presets=_presets(preset),
        folds=tuple(folds),
        seeds=range(seed, seed + seeds),
        samples=samples,
        limit=limit,
        split=split,
        conditions=Conditions.chosen(raters_present, sparsity, precision),
        data=data_folder(None if data is None else Path(data)),
    )
    launch = Launch(
        request=request,
        out=Path(out),
        device=device,
        jobs=jobs,
        timeout=timeout,
        force=force,
        plugin_files=tuple(map(Path, plugin_files)),
        observe=_several(observe),
    )
    planned = launch.planned(discover_with_warnings(launch.plugin_files), launch.command)
    for line in planned.warnings:
        warnings.warn(line, stacklevel=2)
    planned.compute(progress=progress)
    return open_run(str(planned.run.folder), planned.run.results)


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _presets(preset: str | Mapping[str, str] | None) -> dict[str, str]:
    return {"": preset} if isinstance(preset, str) else dict(preset or {})


def _as_text(value: Any) -> str:
    # As a command line has it: what was set is part of a run, whose name must not depend on who asked.
    if isinstance(value, str | PathLike):
        return str(value)
    return ",".join(map(_as_text, value)) if isinstance(value, list | tuple) else json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    # NumPy's numbers.
    if hasattr(value, "item"):
        return value.item()
    raise UsageError("a setting has a wrong value", expected="text, a number, True, False or None", found=repr(value))


def _check(**numbers: tuple[int | None, int]) -> None:
    for name, (value, least) in numbers.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise UsageError(f"{name} has a wrong value", expected=f"a whole number from {least}", found=repr(value))


def _check_computing(samples: int, device: str, timeout: float | None) -> None:
    if samples > MAX_PREDICTIONS:
        raise UsageError("samples has a wrong value", expected=f"at most {MAX_PREDICTIONS}", found=str(samples))
    if device not in DEVICES:
        raise UsageError("device has a wrong value", expected=f"one of {', '.join(DEVICES)}", found=repr(device))
    if timeout is not None and not timeout > 0:
        raise UsageError("timeout has a wrong value", expected="seconds above 0", found=repr(timeout))
