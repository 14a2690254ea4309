"""Launching a run: from what somebody asks for, on a command line or in Python, to its finished cells."""

import shlex
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mrbench.data.folder import RESULTS, data_folder
from mrbench.engine.cell import CellSpec
from mrbench.engine.first_build import FirstBuilds
from mrbench.engine.jobs import Jobs, side_by_side
from mrbench.engine.observers import choose
from mrbench.engine.plan import Plan, Request, make_plan
from mrbench.engine.record import is_there
from mrbench.engine.result import Result
from mrbench.engine.run import Run, run_of
from mrbench.engine.settings import Settings, Watch
from mrbench.engine.superseded import superseded
from mrbench.registry import Registry

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What is asked for, and how it is computed.

    Attributes:
        out: the results folder.
        device, timeout, force: those of :class:`Settings`.
        jobs: cells side by side; ``auto``: as many as the machine has room for.
        plugin_files: with plugins of one's own; ``observe``: names of observers.
    """

    request: Request
    out: Path = RESULTS
    device: str = "auto"
    jobs: Jobs = "auto"
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
        at_once = side_by_side(self.jobs, self.device, self.request.conditions.threads)
        settings = Settings(
            data=self.request.data,
            device=self.device,
            jobs=at_once.jobs,
            jobs_reason=at_once.reason,
            timeout=self.timeout,
            force=self.force,
            plugin_files=tuple(path.resolve() for path in registry.files.values()),
            metric_files=tuple(path.resolve() for path in registry.files_with("metric")),
            metrics=tuple(registry.plugins["metric"]),
            observers=observers,
        )
        run = run_of(plan, self.out, self.request.data, command)
        builds = FirstBuilds(run, registry, settings.plugin_files)
        warnings = (*plan.warnings, *self.request.conditions.warnings(self.device))
        return PlannedRun(plan, run, settings, builds, registry, warnings)

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
            *_unusual("--test-on", asked.test_on, Request.test_on),
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
            *_unusual("--jobs", self.jobs, Launch.jobs),
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
    """A run before it is computed.

    Attributes:
        builds: what it builds before its first cell.
        registry: with its plugins.
        warnings: what there is to say about its data and its conditions.
    """

    plan: Plan
    run: Run
    settings: Settings
    builds: FirstBuilds
    registry: Registry
    warnings: tuple[str, ...] = field(default=())

    def compute(self, *, progress: bool) -> list[Result]:
        """Computes what is missing, once each of its methods could be built; ``progress``: shown on standard error.

        Raises:
            UsageError, PluginError: methods that cannot be built, all at once; nothing was computed.
            Exception: those of :func:`execute`.
        """
        from mrbench.engine.execute import execute  # a plan needs nothing of what computes cells

        with self._view(progress) as watch:
            self.builds.check(self._to_do())
            return execute(self.run, self.settings, watch)

    @cached_property
    def other_code(self) -> list[str]:
        """A line for each method whose cells are computed anew because they are of other code."""
        return list(superseded(self._to_do(), self.run.results, self.registry))

    def _to_do(self) -> list[CellSpec]:
        wanted = [spec for spec, reason in self.run.cells if not reason]
        return [spec for spec in wanted if self.settings.force or not is_there(spec.folder(self.run.results))]

    def _view(self, progress: bool) -> AbstractContextManager[Watch]:
        if not progress:
            return nullcontext(_silent)
        from mrbench.engine.progress import open_progress

        return open_progress(self.plan, self.run, self.settings, self.other_code)


def _silent(spec: CellSpec, event: Mapping[str, Any]) -> None:
    pass
