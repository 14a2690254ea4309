"""Before the first cell of a run, each of its methods is built once for its data set, all of them in one process.

A constructor that raises is told of in seconds, not after the cells before it. Which methods were built is kept by
digest in a small file of the results folder, which may be deleted. A failure is not kept: it is being mended.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryFile
from typing import IO, Any

from mrbench import __version__
from mrbench.digests import digest_json
from mrbench.engine.cell import SHORT, CellSpec
from mrbench.engine.run import Run
from mrbench.engine.supervisor import PATIENCE, supervised
from mrbench.engine.threads import PLAIN_TEXT, thread_environment
from mrbench.errors import MrbenchError, PluginError, UsageError, together
from mrbench.files import read_json, write_json
from mrbench.registry import Registry

BUILT = "built.json"
"""In the results folder: digests of what was built. Without it, everything is built once more."""

LAST_BYTES = 2000
"""Of what it printed, so much is looked at for a last line."""

SECONDS = 300.0
"""For all methods of a run together, importing torch included."""


@dataclass(frozen=True)
class Build:
    """A method with its options for a data set.

    Attributes:
        method, dataset: registry keys.
        version: of the method, with the distribution's that it comes from and its code's digest.
        options: of the method, all of them.
        description: of the data set, as JSON types.
    """

    method: str
    dataset: str
    version: str
    options: Mapping[str, Any]
    description: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """Of all that the answer depends on."""
        return digest_json([__version__, self.method, self.version, self.options, self.description])[:SHORT]


class FirstBuilds:
    """What a run builds.

    Args:
        run: whose methods are meant; cells that cannot be are left out.
        registry: with the plugins of the run.
        plugin_files: of the run.
    """

    def __init__(self, run: Run, registry: Registry, plugin_files: Sequence[Path]) -> None:
        self.run, self.registry, self.plugin_files = run, registry, plugin_files
        self.path = run.results / BUILT

    def builds_of(self, spec: CellSpec) -> list[Build]:
        """What a cell builds: its method, and the member of a wrapper."""
        return [self._build_of(one) for one in (spec, *spec.trainings[:1])]

    def _build_of(self, spec: CellSpec) -> Build:
        plugin = self.registry.get("method", spec.method)
        version = (
            f"{spec.method_version} of {plugin.distribution} {plugin.distribution_version}, {spec.prediction_code}"
        )
        return Build(spec.method, spec.dataset, version, spec.options, self.run.descriptions[spec.dataset])

    @cached_property
    def known(self) -> set[str]:
        """Digests of what was built in this results folder before."""
        try:
            return {str(digest) for digest in read_json(self.path)["built"]}
        except (OSError, ValueError, KeyError, TypeError):
            return set()  # not there, or damaged: it is written anew

    def is_built(self, spec: CellSpec) -> bool:
        """Was what a cell builds built before?"""
        return all(build.digest in self.known for build in self.builds_of(spec))

    def check(self, specs: Iterable[CellSpec]) -> None:
        """Builds what some cells need and nobody has built before.

        Raises:
            UsageError: options that a constructor refuses, with all other methods that cannot be built.
            PluginError: methods that cannot be built, all at once; names data set, exception, file and line.
        """
        wanted = {build.digest: build for spec in specs for build in self.builds_of(spec)}
        new = [build for digest, build in wanted.items() if digest not in self.known]
        if not new:
            return
        faults = list(filter(None, build_all(new, self.plugin_files)))
        if faults:
            raise together("methods cannot be built", faults)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.path, {"built": sorted(self.known | {build.digest for build in new})})


def build_all(builds: Sequence[Build], plugin_files: Sequence[Path], seconds: float = SECONDS) -> list[Any]:
    """For each method, the error that says why it cannot be built; None where it can, or where that is not known.

    Args:
        plugin_files: of all of them.
        seconds: that all of them may take.
    """
    wanted = [{"method": b.method, "options": b.options, "description": b.description} for b in builds]
    order = {"files": [str(path) for path in plugin_files], "builds": wanted}
    code, said, answers = _process(json.dumps(order), seconds)
    found = [_fault(build, answer) for build, answer in zip(builds, answers, strict=False)]
    if len(found) < len(builds) and code != -SIGKILL:  # killed for memory: left to the cell, whose row says so
        reason = f"it took longer than {seconds:g} s" if code is None else f"its process ended with code {code}: {said}"
        found.append(_fault(builds[len(found)], {"what": reason}))
    return found


def _process(order: str, seconds: float) -> tuple[int | None, str, list[dict[str, Any] | None]]:
    """Exit code, None where time was up; the last line of what it printed; the answers that it gave."""
    with TemporaryFile() as asked, TemporaryFile() as answers, TemporaryFile() as printed:
        asked.write(order.encode())
        asked.seek(0)
        process = subprocess.Popen(
            supervised([sys.executable, "-P", "-m", "mrbench.engine.first_builder"]),
            stdin=asked,
            stdout=answers,
            stderr=printed,
            env={**os.environ, **thread_environment(1), **PLAIN_TEXT},
            start_new_session=True,
        )
        code = _code(process, seconds)
        answers.seek(0)
        lines = answers.read().splitlines(keepends=True)
        return code, _last_line(printed), [json.loads(line) for line in lines if line.endswith(b"\n")]


def _code(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.terminate()  # its supervisor ends all that came of it
        process.wait(PATIENCE + 5)


def _last_line(printed: IO[bytes]) -> str:
    printed.seek(max(0, printed.seek(0, os.SEEK_END) - LAST_BYTES))
    said = printed.read().decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else "no output"


def _fault(build: Build, answer: Mapping[str, Any] | None) -> MrbenchError | None:
    if answer is None:
        return None
    what = f"method {build.method!r} cannot be built for data set {build.dataset!r}: {answer['what']}"
    parts = {name: answer.get(name, "") for name in ("expected", "found", "hint")}
    return (UsageError if answer.get("usage") else PluginError)(what, **parts)
