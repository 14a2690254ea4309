"""Checks of what a record says: that it loads, and that its options, presets and capabilities hold."""

import json
from typing import Any

from mrbench.cards import Capability, load_attribute
from mrbench.configuration import Config, flat
from mrbench.errors import NotApplicableError
from mrbench.interfaces.dataset import Dataset
from mrbench.interfaces.fusion import Fusion
from mrbench.testing.candidate import Candidate, Predicting
from mrbench.testing.check import KINDS, CheckedKind, CheckFailedError, rule
from mrbench.testing.scenes import SLICES

OUTPUTS = frozenset({Capability.CONSENSUS, Capability.DIVERSE, Capability.PERSONAL})
OF_DRAWS = {"consensus": Capability.CONSENSUS, "sample": Capability.DIVERSE, "rater": Capability.PERSONAL}


def _base(kind: CheckedKind) -> type:
    if kind == "method":
        from mrbench.interfaces.method import Method  # loads torch, which the others need not

        return Method
    bases: dict[CheckedKind, type] = {"fusion": Fusion, "dataset": Dataset}
    return bases[kind]


@rule(*KINDS)
def loads(candidate: Candidate) -> None:
    """What the card names can be imported, and is of the interface of its kind."""
    found = candidate.plugin.load()
    if candidate.kind == "metric":
        return  # only decorated functions load
    base = _base(candidate.kind)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise CheckFailedError(
            f"{candidate.plugin.card.code!r} is no {base.__name__}",
            expected=f"a class that derives from mrbench.{base.__name__}",
            found=repr(found),
        )


@rule("method", "fusion", "dataset")
def options(candidate: Candidate) -> None:
    """The options can be left at their defaults, each has a line of help, and they survive a round trip as JSON."""
    config = candidate.plugin.load_config()
    if not (isinstance(config, type) and issubclass(config, Config)):
        raise CheckFailedError("the options are no Config", expected="a subclass of mrbench.Config", found=repr(config))
    silent = [name for name, text in config.options().items() if not text]
    if silent:
        raise CheckFailedError("options have no line of help", expected="a description each", found=", ".join(silent))
    defaults = config()
    again = config.parse(json.loads(json.dumps(defaults.values())), owner=candidate.plugin.key)
    if again != defaults:
        raise CheckFailedError("the options change on a round trip", expected=repr(defaults), found=repr(again))


@rule("method", "fusion")
def presets(candidate: Candidate) -> None:
    """Every preset names options that exist, with values that they take."""
    record = candidate.plugin.card
    if not record.presets:
        raise NotApplicableError("it has no presets")
    config = candidate.plugin.load_config()
    for name, values in record.presets.items():
        config.parse(flat(values), owner=f"{candidate.plugin.key}, preset {name}")


@rule("method", "fusion")
def capabilities(candidate: Predicting) -> None:
    """It declares what it gives, no kind of draw goes undeclared, and it says whether it sees test masks."""
    declared = candidate.capabilities
    if not declared & OUTPUTS:
        raise CheckFailedError(
            "it declares no output", expected="consensus, diverse or personal", found=", ".join(sorted(declared)) or "-"
        )
    if (Capability.SEES_TEST_MASKS in declared) != (candidate.kind == "fusion"):
        expected = "sees_test_masks for a fusion, and for nothing else"
        raise CheckFailedError("it is wrong about test masks", expected=expected, found=", ".join(sorted(declared)))
    given = _given(candidate)
    undeclared = sorted(kind for kind in given if OF_DRAWS[kind] not in declared)
    if undeclared:
        raise CheckFailedError(
            f"it gives {' and '.join(undeclared)} draws that it does not declare",
            expected=f"{', '.join(sorted(OF_DRAWS[kind] for kind in undeclared))} among its capabilities",
            found=", ".join(sorted(declared)),
        )


def _given(candidate: Predicting) -> set[str]:
    draw = candidate.working_drawer(SLICES)
    return {str(made.kind) for case in SLICES.tested for trial in draw(case, 3, 0) for made in trial.draws}


@rule("method")
def family(candidate: Candidate) -> None:
    """Methods of one family share a training: class, version, options and training settings of every preset."""
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


def _compare(own: Any, other: Any) -> None:
    facts, theirs = _training(own), _training(other)
    differing = [name for name in facts if facts[name] != theirs[name]]
    if differing:
        raise CheckFailedError(
            f"{own.key} and {other.key} are of one family and would be trained differently: {', '.join(differing)}",
            expected="all alike, but for the sampler",
            found=f"{facts[differing[0]]!r} and {theirs[differing[0]]!r}"[:200],
        )
    if own.card.sampler == other.card.sampler:
        raise CheckFailedError(f"{own.key} and {other.key} have one family and one sampler", expected="two samplers")


def _training(plugin: Any) -> dict[str, Any]:
    config = load_attribute(plugin.card.config)
    steps = {
        name: config.parse(flat(values), owner=plugin.key).step("training")
        for name, values in {"": {}, **plugin.card.presets}.items()
    }
    record = plugin.card
    named = {f"preset {name}" if name else "defaults": step for name, step in steps.items()}
    return {"code": record.code, "config": record.config, "version": plugin.version, "presets": named}


CHECKS = (loads, options, presets, capabilities, family)
