"""Checks of the card: what it names loads, what it says holds, and its light modules are light, in fresh processes."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from inspect import signature
from typing import Any

from mrbench.cards import GIVES, load_attribute
from mrbench.configuration import Config, flat
from mrbench.engine.given import OPERATIONS, check_given, defined
from mrbench.errors import NotApplicableError, PluginError
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.fusion import bound
from mrbench.registry import GROUP, Plugin, discover
from mrbench.testing.candidate import Candidate
from mrbench.testing.check import KINDS, CheckFailedError, expect_none, rule
from mrbench.testing.drawn import differing_weights
from mrbench.testing.predicting import MethodCandidate
from mrbench.testing.scenes import SLICES

HEAVY = ("torch", "pandas", "scipy", "h5py")
MILLISECONDS = 100.0

LIGHT = ("mrbench.registry", "mrbench.configuration")
METRICS = (*LIGHT, "mrbench.interfaces.metric")
"""What is loaded already where plugins are listed; metrics are listed with the functions themselves, and NumPy."""

ROUNDS = 3
"""The best of them counts, because other processes may be busy."""

_SCRIPT = """
import importlib, json, sys, time
sys.path[:] = json.loads(sys.argv[1])
for own in sys.argv[3:]:
    importlib.import_module(own)
known = set(sys.modules)
start = time.perf_counter()
importlib.import_module(sys.argv[2])
print(json.dumps([1000 * (time.perf_counter() - start), sorted(set(sys.modules) - known)]))
"""


@rule(*KINDS)
def loads(candidate: Candidate) -> None:
    """The class or function behind the card can be imported, and is what the interface of its kind asks for."""
    found = candidate.plugin.load()
    if candidate.kind == "fusion":
        bound(found, Config(), SLICES.description)
    elif candidate.kind == "dataset":
        _check_load(found)
    elif candidate.kind == "method":
        _check_class(candidate, found)


def _check_load(found: Any) -> None:
    try:
        signature(found).bind("config", "folder")
    except TypeError as error:
        raise CheckFailedError(
            f"a data set cannot be loaded: {error}",
            expected="a function of config and folder",
            found=f"{found.__name__}{signature(found)}",
        ) from None


def _check_class(candidate: Candidate, found: Any) -> None:
    from mrbench.interfaces.method import Method  # loads torch, which the others need not

    if not (isinstance(found, type) and issubclass(found, Method)):
        raise CheckFailedError(
            f"{candidate.plugin.card.code!r} is no Method",
            expected="a class that derives from mrbench.Method",
            found=repr(found),
        )


@rule("method", "fusion", "dataset")
def options(candidate: Candidate) -> None:
    """The options can be left at their defaults, each has a line of help, and they survive a round trip as JSON."""
    config = candidate.plugin.load_config()
    if not (isinstance(config, type) and issubclass(config, Config)):
        raise CheckFailedError("the options are no Config", expected="a subclass of mrbench.Config", found=repr(config))
    silent = [name for name, text in config.options().items() if not text]
    expect_none(silent, "options have no line of help", "a description each")
    defaults = config()
    again = config.parse(json.loads(json.dumps(defaults.values())), owner=candidate.plugin.key)
    if again != defaults:
        raise CheckFailedError("the options change on a round trip", expected=repr(defaults), found=repr(again))


@rule("method", "fusion")
def presets(candidate: Candidate) -> None:
    """Every preset names options that exist, with values that they take."""
    card = candidate.plugin.card
    if not card.presets:
        raise NotApplicableError("it has no presets")
    config = candidate.plugin.load_config()
    for name, values in card.presets.items():
        config.parse(flat(values), owner=f"{candidate.plugin.key}, preset {name}")


@rule("method", "fusion")
def capabilities(candidate: Candidate) -> None:
    """It gives the answers that its card says, and defines none that no row of its class is said to give."""
    card = candidate.plugin.card
    if not card.gives:
        raise CheckFailedError("its card gives no answer", expected=f"gives = one or more of {', '.join(GIVES)}")
    if isinstance(candidate, MethodCandidate):
        check_given(candidate.loaded, card)
        _check_undeclared(candidate)
        _check_samples_of_raters(candidate)


def _check_undeclared(candidate: MethodCandidate) -> None:
    own, said = defined(candidate.loaded), _said_of_relatives(candidate)
    expected = {OPERATIONS[word] for word in said} | (
        {"as_rater"} if "samples" in said and "sample" not in own else set()
    )
    undeclared = [name for name in own if name not in expected]
    if undeclared:
        words = [word for word, name in OPERATIONS.items() if name in undeclared]
        raise CheckFailedError(
            f"it defines {undeclared[0]}(), which no card gives",
            expected=f"gives = {candidate.plugin.card.gives} {' '.join(words)}, or no {undeclared[0]}()",
            found=f"gives = {candidate.plugin.card.gives}",
        )


def _said_of_relatives(candidate: MethodCandidate) -> set[str]:
    # Rows of one class, or of a base or a derived class, have answers in common of which each gives some.
    words = set(candidate.plugin.card.gives.split())
    for plugin in candidate.registry.of_kind("method"):
        if plugin.distribution == candidate.plugin.distribution and plugin.card.kind == "method":
            words |= set(plugin.card.gives.split()) if _related(plugin, candidate.loaded) else set()
    return words


def _related(plugin: Plugin[Any], own: type) -> bool:
    try:
        other = plugin.load()
    except PluginError:
        return False
    return isinstance(other, type) and (issubclass(own, other) or issubclass(other, own))


def _check_samples_of_raters(candidate: MethodCandidate) -> None:
    if "samples" not in candidate.plugin.card.gives.split() or "sample" in defined(candidate.loaded):
        return
    operations = candidate.answering
    if not any(operations.ask(question).sites for question in operations.questions if question.kind is DrawKind.SAMPLE):
        raise CheckFailedError(
            "its samples are answers of raters that draw nothing", expected="a sample(), or noise in as_rater()"
        )


@rule("method")
def family(candidate: MethodCandidate) -> None:
    """Methods of one family share a training, weights and all, and give different answers."""
    own = candidate.plugin
    others = [
        plugin
        for plugin in candidate.registry.of_kind("method")
        if plugin.distribution == own.distribution
        and plugin.card.family == own.card.family
        and plugin.card.name != own.card.name
    ]
    if not others:
        raise NotApplicableError(f"no other method is of the family {own.card.family!r}")
    for other in others:
        _compare(own, other)
        _compare_weights(candidate, replace(candidate, plugin=other))


def _compare(own: Plugin[Any], other: Plugin[Any]) -> None:
    facts, theirs = _training(own), _training(other)
    differing = [name for name in facts if facts[name] != theirs[name]]
    if differing:
        raise CheckFailedError(
            f"{own.key} and {other.key} are of one family and would be trained differently: {', '.join(differing)}",
            expected="all alike, but for the answers",
            found=f"{facts[differing[0]]!r} and {theirs[differing[0]]!r}"[:200],
        )
    if set(own.card.gives.split()) == set(other.card.gives.split()):
        raise CheckFailedError(
            f"{own.key} and {other.key} have one family and the same answers",
            expected="other answers, or a family of its own",
            found=own.card.gives,
        )


def _training(plugin: Plugin[Any]) -> dict[str, Any]:
    config = load_attribute(plugin.card.config)
    steps = {
        name: config.parse(flat(values), owner=plugin.key).step("training")
        for name, values in {"": {}, **plugin.card.presets}.items()
    }
    named = {f"preset {name}" if name else "defaults": step for name, step in steps.items()}
    return {"config": plugin.card.config, "version": plugin.version, "presets": named}


def _compare_weights(candidate: MethodCandidate, other: MethodCandidate) -> None:
    if candidate.plugin.card.code == other.plugin.card.code:
        return
    differing = differing_weights(*(each.trained(SLICES).method for each in (candidate, other)))
    names = f"{candidate.plugin.key} and {other.plugin.key}"
    expect_none(differing, f"{names} are of one family and learn different weights", "equal weights after one training")


@rule(*KINDS)
def light_import(candidate: Candidate) -> None:
    """The module of the card loads no torch, pandas, scipy or h5py, in under 100 ms beyond mrbench itself."""
    module = _module_of_card(candidate)
    best = float("inf")
    for _ in range(ROUNDS):
        milliseconds, loaded = _imported(module, METRICS if candidate.kind == "metric" else LIGHT)
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


def _module_of_card(candidate: Candidate) -> str:
    _refuse_file(candidate)
    own = candidate.plugin
    for entry in entry_points(group=GROUP):
        if entry.dist and entry.dist.name == own.distribution:
            plugins = discover([entry]).plugins
            if any(p.qualified == own.qualified for of_kind in plugins.values() for p in of_kind):
                return entry.value.partition(":")[0]
    raise NotApplicableError(f"no entry point of {own.distribution!r} gives it")


def _imported(module: str, loaded: Sequence[str] = LIGHT) -> tuple[float, list[str]]:
    # Milliseconds and the modules that it brought along, beyond what is loaded.
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, json.dumps(sys.path), module, *loaded],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CheckFailedError(f"{module} cannot be imported in a fresh process", found=last)
    milliseconds, modules = json.loads(done.stdout.strip().splitlines()[-1])
    return milliseconds, modules


def _check_light(module: str, loaded: list[str]) -> None:
    heavy = sorted({name.partition(".")[0] for name in loaded} & set(HEAVY))
    expect_none(heavy, f"{module} loads what it must not", f"none of {', '.join(HEAVY)}")
