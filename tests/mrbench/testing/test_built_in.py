"""The built-in plugins pass the checks: the quick ones always, all of them with --slow."""

import pytest

from mrbench.cards import MethodCard
from mrbench.registry import BUILT_IN, KINDS, discover
from mrbench.testing.candidate import find_candidate
from mrbench.testing.catalogue import checks_of
from mrbench.testing.check import Verdict, run_check

REGISTRY = discover()
NAMES = [
    (plugin.card.kind if isinstance(plugin.card, MethodCard) else kind, plugin.card.name)
    for kind in KINDS
    for plugin in REGISTRY.of_kind(kind)
    if plugin.distribution == BUILT_IN and not getattr(plugin.card, "wraps", False)  # wrappers train nothing
]
COSTLY = {"light-import", "light-options", "loss-falls"}


def faults(kind: str, name: str, *, every: bool) -> dict[str, str]:
    candidate = find_candidate(REGISTRY, f"{BUILT_IN}:{name}", kind=kind)  # type: ignore[arg-type]
    outcomes = [run_check(check, candidate) for check in checks_of(candidate) if every or check.name not in COSTLY]
    return {o.check.name: f"{o.what}, found {o.found}" for o in outcomes if o.verdict is Verdict.FAILED}


@pytest.mark.parametrize(("kind", "name"), NAMES, ids=[f"{kind}-{name}" for kind, name in NAMES])
def test_a_built_in_plugin_passes_the_quick_checks(kind: str, name: str):
    assert faults(kind, name, every=False) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), NAMES, ids=[f"{kind}-{name}" for kind, name in NAMES])
def test_a_built_in_plugin_passes_every_check(kind: str, name: str):
    assert faults(kind, name, every=True) == {}
