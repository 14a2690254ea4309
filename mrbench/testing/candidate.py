"""A plugin under check, with what the checks need of it; loaded when a check first asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mrbench.cards import Capability
from mrbench.configuration import Config, flat
from mrbench.errors import MrbenchError, NotApplicableError, PluginError, UnknownNameError, UsageError
from mrbench.registry import KINDS, Plugin, Registry
from mrbench.testing.check import CheckedKind

SMALLEST_PRESET = "quick"


@dataclass(eq=False)
class Candidate:
    """A plugin under check.

    Attributes:
        kind: of checks that apply to it.
        registry: where it was found.
        plugin_files: plugins of single files in the registry.
        data: the folder of prepared data, for data sets.
    """

    plugin: Plugin[Any]
    kind: CheckedKind
    registry: Registry
    plugin_files: tuple[Path, ...] = ()
    data: Path = Path()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What its card declares; nothing for data sets and metrics."""
        found: frozenset[Capability] = getattr(self.plugin.card, "capabilities", frozenset())
        return found

    @cached_property
    def loaded(self) -> Any:
        """The class behind its card.

        Raises:
            NotApplicableError: it cannot be imported; the check ``loads`` says how.
        """
        try:
            return self.plugin.load()
        except PluginError as error:
            raise NotApplicableError("its class cannot be loaded: see loads") from error

    @property
    def preset(self) -> str:
        """The settings that the checks run with: ``quick``, else the first preset, else none."""
        presets = list(getattr(self.plugin.card, "presets", ()))
        return SMALLEST_PRESET if SMALLEST_PRESET in presets else next(iter(presets), "")

    @cached_property
    def config(self) -> Config:
        """Its options under :attr:`preset`.

        Raises:
            NotApplicableError: they cannot be had; the checks ``options`` and ``presets`` say how.
        """
        values = self.plugin.card.presets[self.preset] if self.preset else {}
        try:
            config: Config = self.plugin.load_config().parse(flat(values), owner=self.plugin.key)
        except MrbenchError as error:
            raise NotApplicableError("its options cannot be had: see options and presets") from error
        return config


def find_candidate(
    registry: Registry,
    name: str,
    *,
    kind: CheckedKind | None = None,
    plugin_files: Sequence[Path] = (),
    data: Path | None = None,
) -> Candidate:
    """The plugin of a name, whatever its kind.

    Args:
        name: ``distribution:name``, or a bare name while it is unique.
        kind: where a name is used for several kinds.
        data: the folder of prepared data; None: as commands find it.

    Raises:
        UnknownNameError: nothing answers to the name.
        UsageError: plugins of several kinds, or of several distributions, do.
    """
    from mrbench.data.folder import data_folder
    from mrbench.data.imported import imported_sets

    found = {of: registry.get(of, name) for of in KINDS if _answers(registry, of, name)}
    imported = next((one for one in imported_sets(registry, data) if one.name == name), None)
    if not found and imported is not None:
        found = {"dataset": imported}
    by_kind = {_kind(plugin, of): plugin for of, plugin in found.items()}
    chosen = {of: plugin for of, plugin in by_kind.items() if kind in (None, of)}
    if len(chosen) > 1:
        kinds = " or ".join(f"--kind {of}" for of in chosen)
        raise UsageError(f"{name!r} names plugins of several kinds", hint=f"say {kinds}")
    if not chosen:
        raise _unknown(registry, name, kind)
    of, plugin = next(iter(chosen.items()))
    if getattr(plugin.card, "wraps", False):
        raise UsageError(
            f"{plugin.key!r} trains nothing of its own, and the checks are of what is trained",
            expected="the name of a method that learns, such as it is made of",
            hint="mrbench list methods",
        )
    return _class(of)(plugin, of, registry, tuple(plugin_files), data_folder(data))


def _answers(registry: Registry, kind: Any, name: str) -> bool:
    return any(name in (p.qualified, p.card.name) for p in registry.of_kind(kind))


def _kind(plugin: Plugin[Any], kind: Any) -> CheckedKind:
    own: CheckedKind = getattr(plugin.card, "kind", kind)
    return own


def _unknown(registry: Registry, name: str, kind: CheckedKind | None) -> UnknownNameError:
    known = [plugin.key for of in KINDS for plugin in registry.of_kind(of) if kind in (None, _kind(plugin, of))]
    spoken = "data set" if kind == "dataset" else kind or "plugin"
    return UnknownNameError(spoken, name, known, hint=registry.remedy(name, "mrbench list"))


def _class(kind: CheckedKind) -> type[Candidate]:
    from mrbench.testing.datasets import DatasetCandidate
    from mrbench.testing.predicting import FusionCandidate, MethodCandidate

    classes = {"method": MethodCandidate, "fusion": FusionCandidate, "dataset": DatasetCandidate, "metric": Candidate}
    return classes[kind]
