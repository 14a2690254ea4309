"""Claims: what an entry says of its method, against what the plugins that are installed here say themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mrbench.cards import Capability, MethodCard
from mrbench.configuration import flat
from mrbench.engine.cell import CONTENT, EXTERNAL
from mrbench.engine.wrapping import row_card
from mrbench.errors import MrbenchError
from mrbench.leaderboard.command import patterns
from mrbench.leaderboard.entry import METHOD_FILE, Entry, MetricFacts
from mrbench.leaderboard.pack import option_texts
from mrbench.leaderboard.store import Why
from mrbench.plugin_file import PluginFile, content_of, file_of
from mrbench.registry import Plugin

Claim = tuple[str, object, object, Why]
"""Field, expected, found, and what it means where both differ."""

NO_PATTERNS = "[]"
"""Of a file, which holds its cases by name, or of a folder that ``mrbench export`` wrote."""

_OF_METRIC = ("direction", "needs", "low", "high")
"""What of a metric's facts is no wording; in which tables it stands, the board takes from what is installed."""


def claims_of(
    entry: Entry, methods: Mapping[str, Plugin[MethodCard]], metrics: Mapping[str, MetricFacts]
) -> Iterator[Claim]:
    """Everything that can be compared; a method that is not installed says nothing."""
    yield "plugin_file", file_of(entry.method), entry.plugin_file, Why.INVALID
    yield f"files.{METHOD_FILE}", bool(entry.plugin_file), METHOD_FILE in entry.files, Why.INVALID
    yield from _of_metrics(entry, metrics)
    yield from _of_external(entry)
    plugin, member = methods.get(entry.method), methods.get(entry.options.get("of", ""))
    if plugin and plugin.card.wraps and member:
        yield from _of_method(entry, plugin, row_card(plugin.card, member.card))
        yield from _of_options(entry, plugin, member)
    elif plugin and not plugin.card.wraps:
        yield from _of_method(entry, plugin, plugin.card)
        yield from _of_options(entry, plugin, plugin)


def _of_metrics(entry: Entry, metrics: Mapping[str, MetricFacts]) -> Iterator[Claim]:
    for name, facts in entry.metrics.items():
        if name in metrics:
            said, known = ({field: getattr(one, field) for field in _OF_METRIC} for one in (facts, metrics[name]))
            yield f"metrics.{name}", known, said, Why.INVALID


def _of_external(entry: Entry) -> Iterator[Claim]:
    if not entry.method.startswith(EXTERNAL):
        yield "kind", "method or fusion", "external" if entry.kind == "external" else "method or fusion", Why.INVALID
        return
    yield "kind", "external", entry.kind, Why.INVALID
    content = entry.options.get(CONTENT, "")
    named = (
        ("predictions", entry.options.get("predictions")),
        ("patterns", patterns(entry) or entry.options.get("patterns") == NO_PATTERNS),
        (CONTENT, content),
    )
    for name, found in named:
        yield f"options.{name}", "named", "named" if found else "none", Why.INVALID
    bound = replace(entry.spec, training={"predictions": content})
    yield "training_digest", bound.training_digest, entry.training_digest, Why.INVALID
    yield "prediction_digest", bound.digest, entry.prediction_digest, Why.INVALID


def _of_method(entry: Entry, plugin: Plugin[MethodCard], card: MethodCard) -> Iterator[Claim]:
    """``card``: of the row, which of a wrapper is its member's in part."""
    sees = Capability.SEES_TEST_MASKS
    yield "kind", card.kind, entry.kind, Why.INVALID
    yield "capabilities", sees in card.capabilities, sees in entry.capabilities, Why.INVALID
    yield "method_version", plugin.version, entry.method_version, Why.VERSION
    if plugin.version == entry.method_version:
        yield "capabilities", sorted(card.capabilities_with(entry.options)), sorted(entry.capabilities), Why.INVALID
        yield "family", card.family, entry.family, Why.INVALID
        yield "gives", card.gives, entry.gives, Why.INVALID


def _of_options(entry: Entry, plugin: Plugin[MethodCard], member: Plugin[MethodCard]) -> Iterator[Claim]:
    """``member``: whose preset it is; the method itself, or what a wrapper is of."""
    if plugin.version != entry.method_version:
        return
    try:
        config = plugin.load_config()
        presets = {"default": {}, "paper": {}, **member.card.presets}
        known = {*config.options(), *_under(member, plugin)}
        own = presets.get(entry.preset, {}) if member is plugin else {}
        preset = option_texts(config.parse(own, owner=entry.method).values())
    except MrbenchError:  # a plugin that cannot be loaded here says nothing
        return
    yield "preset", entry.preset if entry.preset in presets else " or ".join(presets), entry.preset, Why.INVALID
    yield "options", [], sorted({*entry.options, *entry.changed} - known), Why.INVALID
    # What any preset sets: an option that follows the data is in none.
    for name in dict.fromkeys(name for values in presets.values() for name in flat(values)):
        if name in entry.options and name in preset and name not in entry.changed:
            yield f"options.{name}, of preset {entry.preset}", preset[name], entry.options[name], Why.INVALID
    for name, value in entry.changed.items():
        yield f"changed.{name}", entry.options.get(name, value), value, Why.INVALID
    for name, value in entry.objective.items():
        yield f"objective.{name}", entry.options.get(name, value), value, Why.INVALID


def _under(member: Plugin[MethodCard], plugin: Plugin[MethodCard]) -> set[str]:
    """The options of a wrapper's member, under its name."""
    return set() if member is plugin else {f"{member.key}.{name}" for name in member.load_config().options()}


def content_claim(entry: Entry, source: bytes) -> Claim:
    """The packed plugin file, whose digest the method's version ends with."""
    found = PluginFile(Path(entry.plugin_file), source).digest
    return f"files.{METHOD_FILE}", content_of(entry.method_version), found, Why.INVALID
