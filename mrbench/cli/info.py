"""``mrbench info``."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import click

from mrbench.cli.options import PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.configuration import flat
from mrbench.data.imported import imported_sets
from mrbench.errors import UnknownNameError
from mrbench.files import shown
from mrbench.registry import SPOKEN, Kind, Plugin, Registry, discover
from mrbench.visible import visible


@click.command("info")
@click.argument("name")
@PLUGIN_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str, plugin_files: tuple[Path, ...], as_json: bool) -> None:
    """Show what a method, data set or metric says of itself, with its options; of a model file, its card.

    NAME is that of a plugin, or a file that mrbench export-model wrote.
    """
    if Path(name).is_file():
        _show_model(Path(name), as_json)
        return
    kind, plugin = _find(plugin_files, name)
    facts = {"kind": kind, **vars(plugin.card), "distribution": plugin.distribution}
    config = plugin.load_config() if kind in ("method", "dataset") else None
    options = _options(config) if config else []
    if as_json:
        click.echo(json.dumps(facts | {"options": options}, indent=1, default=_plain))
        return
    for title, lines in _sections(plugin, kind, facts, options):
        formatter = click.HelpFormatter(max_width=100)
        with formatter.section(title):
            formatter.write_dl(lines)
        click.echo(formatter.getvalue(), nl=False)


def _show_model(path: Path, as_json: bool) -> None:
    """What a model file says of itself; nothing of it is run."""
    from mrbench.engine.model_file import read_model_file

    file = read_model_file(path)
    if as_json:
        click.echo(json.dumps(shown(asdict(file.facts)), indent=1))
        return
    click.echo(visible(file.card), nl=False)


def _find(files: Sequence[Path], name: str) -> tuple[Kind, Plugin[Any]]:
    light = registry(files, ("method", "dataset"))
    # Only who asks for a metric waits for the cards of metrics.
    return _installed(light, name) or _elsewhere(discover(files=files), name)


def _installed(found: Registry, name: str) -> tuple[Kind, Plugin[Any]] | None:
    for kind, plugins in found.plugins.items():
        if any(name in (p.qualified, p.card.name) for p in plugins):
            return kind, found.get(kind, name)
    return None


def _elsewhere(found: Registry, name: str) -> tuple[Kind, Plugin[Any]]:
    """A metric, or a data set that was imported."""
    metric = _installed(found, name)
    if metric:
        return metric
    imported = {plugin.name: plugin for plugin in imported_sets(found, None)}
    if name in imported:
        return "dataset", imported[name]
    known = [*(known for kind in get_args(Kind) for known in found.names(kind)), *imported]
    hint = found.remedy(name, "mrbench list methods|datasets|metrics")
    raise UnknownNameError("method, data set, metric or model file", name, known, hint=hint)


def _options(config: Any) -> list[dict[str, Any]]:
    values = config()
    return [{"name": name, "default": _value(values, name), "help": text} for name, text in config.options().items()]


def _value(config: Any, name: str) -> Any:
    for part in name.split("."):
        config = getattr(config, part)
    return config


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else dict(value)


def _sections(
    plugin: Plugin[Any], kind: Kind, facts: dict[str, Any], options: list[dict[str, Any]]
) -> list[tuple[str, list[tuple[str, str]]]]:
    shown = "summary gives version citation licence source family direction range needs empty"
    lines = [(name, str(facts[name])) for name in shown.split() if facts.get(name)]
    if facts.get("capabilities"):
        lines.append(("capabilities", ", ".join(sorted(facts["capabilities"]))))
    sections = [(f"{getattr(plugin.card, 'kind', SPOKEN[kind])} {plugin.qualified}", lines)]
    if facts.get("differences"):
        sections.append(("Paper and released code differ", [("-", text) for text in facts["differences"]]))
    if options:
        sections.append(
            (
                f"Options (--set {plugin.card.name}.NAME=VALUE)",
                [(f"{o['name']} = {o['default']}", o["help"]) for o in options],
            )
        )
    defaults = {option["name"]: option["default"] for option in options}
    for name, values in facts.get("presets", {}).items():
        changed = [(f"{key} = {value}", "") for key, value in flat(values).items() if defaults.get(key) != value]
        sections.append((f"Preset {name}", changed or [("the defaults", "")]))
    return sections
