"""The plugins of every distribution: what they provide, and what was set aside."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mrbench.bounded import traceback_of
from mrbench.doctor.names import twice
from mrbench.doctor.section import Section
from mrbench.errors import MrbenchError, PluginError
from mrbench.registry import Plugin, Quarantined, Registry, discover


def find_plugins(files: Sequence[Path]) -> Registry:
    """All plugins; a plugin file that cannot be used is set aside like any other plugin."""
    registry = discover()
    for path in files:
        try:
            registry.add_file(path)
        except MrbenchError as error:
            registry.quarantined.append(Quarantined(path.stem, path.name, error.message, _behind(error)))
    return registry


def _behind(error: MrbenchError) -> str:
    fault = error.__context__  # what the file raised, where it raised anything
    return traceback_of(fault) if isinstance(error, PluginError) and fault else ""


def plugins(registry: Registry) -> Section:
    """What each distribution provides, and what was set aside with its traceback."""
    provided = _provided(registry)
    aside = [(f"{one.plugin} of {one.distribution}", one) for one in registry.quarantined]
    return Section(
        title="plugins",
        rows=[
            *((f"{name} {facts['version']}", _inventory(facts["provides"])) for name, facts in provided.items()),
            *((name, "set aside") for name, _ in aside),
        ],
        facts={"distributions": provided, "set_aside": [vars(one) for one in registry.quarantined]},
        attention=[f"plugin {name} is set aside: {one.reason.splitlines()[0]}" for name, one in aside],
        notes=[*_needs(registry), *(note for kind, own in registry.plugins.items() for note in twice(kind, own))],
        tracebacks=[(f"plugin {name}", one.traceback or one.reason) for name, one in aside],
    )


def _provided(registry: Registry) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for kind in registry.plugins:
        for plugin in registry.of_kind(kind):
            facts = found.setdefault(plugin.distribution, {"version": plugin.distribution_version, "provides": {}})
            facts["provides"].setdefault(f"{kind}s", []).append(plugin.name)
    return found


def _inventory(provides: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in provides.items())


def _needs(registry: Registry) -> list[str]:
    everything = (plugin for own in registry.plugins.values() for plugin in own)
    return [
        f"{plugin.key!r} needs the module {name!r}, which is not installed"
        for plugin in everything
        for name in _missing(plugin)
    ]


def _missing(plugin: Plugin[Any]) -> list[str]:
    return [name for name in plugin.card.requires if not _is_there(name)]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # what it is part of is not there either
        return False
