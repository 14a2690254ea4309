"""``mrbench list``."""

import json
from pathlib import Path
from typing import Any, get_args

import click

from mrbench.cli.options import PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.registry import Kind, Observer, Plugin

KINDS: dict[str, Kind] = {f"{kind}s": kind for kind in get_args(Kind)}
OBSERVERS = "observers"


@click.command("list")
@click.argument("what", type=click.Choice([*KINDS, OBSERVERS]), required=False)
@PLUGIN_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(what: str | None, plugin_files: tuple[Path, ...], as_json: bool) -> None:
    """List the methods, data sets, metrics or observers that are there; all of them without an argument."""
    kinds = {name: kind for name, kind in KINDS.items() if what in (None, name)}
    found = registry(plugin_files, kinds.values())
    facts = {name: [_facts(plugin) for plugin in found.of_kind(kind)] for name, kind in kinds.items()}
    facts[OBSERVERS] = [_observer_facts(observer) for observer in found.observers]
    if as_json:
        click.echo(json.dumps(facts[what] if what else facts, indent=1))
        return
    formatter = click.HelpFormatter(max_width=100)
    for name in [what] if what else facts:
        with formatter.section(name.replace("dataset", "data set").capitalize()):
            formatter.write_dl([(one["name"], _line(one)) for one in facts[name]] or [("none", "")])
    click.echo(formatter.getvalue(), nl=False)


def _facts(plugin: Plugin[Any]) -> dict[str, Any]:
    facts = {"name": plugin.key, "summary": plugin.card.summary, "distribution": plugin.distribution}
    if hasattr(plugin.card, "capabilities"):
        facts |= {"kind": plugin.card.kind, "capabilities": sorted(plugin.card.capabilities)}
    return facts


def _observer_facts(observer: Observer) -> dict[str, Any]:
    return {"name": observer.key, "summary": observer.summary, "distribution": observer.distribution}


def _line(facts: dict[str, Any]) -> str:
    marks = facts.get("capabilities")
    return facts["summary"] + (f" [{', '.join(marks)}]" if marks else "")
