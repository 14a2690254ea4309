"""Checks of what a plugin costs before it is used: its light modules, measured in fresh processes."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

from mrbench.errors import NotApplicableError
from mrbench.registry import GROUP, discover
from mrbench.testing.candidate import Candidate
from mrbench.testing.check import KINDS, CheckFailedError, rule

HEAVY = ("torch", "pandas", "scipy", "h5py")
MILLISECONDS = 100.0

ROUNDS = 3
"""The best of them counts, because other processes may be busy."""

_SCRIPT = """
import importlib, json, sys, time
sys.path[:] = json.loads(sys.argv[1])
import mrbench.registry, mrbench.configuration
known = set(sys.modules)
start = time.perf_counter()
importlib.import_module(sys.argv[2])
print(json.dumps([1000 * (time.perf_counter() - start), sorted(set(sys.modules) - known)]))
"""


@rule(*KINDS)
def light_import(candidate: Candidate) -> None:
    """The module of the record loads no torch, pandas, scipy or h5py, in under 100 ms beyond mrbench itself."""
    module = _module_of_record(candidate)
    best = float("inf")
    for _ in range(ROUNDS):
        milliseconds, loaded = _imported(module)
        _check_light(module, loaded)
        best = min(best, milliseconds)
        if best < MILLISECONDS:
            return
    raise CheckFailedError(
        f"{module} takes long to import", expected=f"under {MILLISECONDS:.0f} ms", found=f"{best:.0f} ms"
    )


@rule("method", "fusion", "dataset")
def light_options(candidate: Candidate) -> None:
    """The module of the options loads no torch, pandas, scipy or h5py, so that planning needs none of them."""
    _refuse_file(candidate)
    module = candidate.plugin.card.config.partition(":")[0]
    _check_light(module, _imported(module)[1])


def _refuse_file(candidate: Candidate) -> None:
    if candidate.plugin.content:
        raise NotApplicableError("a plugin in one file is imported as a whole")


def _module_of_record(candidate: Candidate) -> str:
    _refuse_file(candidate)
    own = candidate.plugin
    for entry in entry_points(group=GROUP):
        if entry.dist and entry.dist.name == own.distribution:
            plugins = discover([entry]).plugins
            if any(p.qualified == own.qualified for of_kind in plugins.values() for p in of_kind):
                return entry.value.partition(":")[0]
    raise NotApplicableError(f"no entry point of {own.distribution!r} gives it")


def _imported(module: str) -> tuple[float, list[str]]:
    # Milliseconds and the modules that it brought along.
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(sys.path), module], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CheckFailedError(f"{module} cannot be imported in a fresh process", found=last)
    milliseconds, modules = json.loads(done.stdout.strip().splitlines()[-1])
    return milliseconds, modules


def _check_light(module: str, loaded: list[str]) -> None:
    heavy = sorted({name.partition(".")[0] for name in loaded} & set(HEAVY))
    if heavy:
        raise CheckFailedError(
            f"{module} loads what it must not", expected=f"none of {', '.join(HEAVY)}", found=", ".join(heavy)
        )


CHECKS = (light_import, light_options)
