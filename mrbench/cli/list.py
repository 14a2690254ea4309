"""``mrbench list``."""

import json
from typing import Any, get_args

import click

from mrbench.cli.plugins import registry
from mrbench.registry import Kind, Plugin

KINDS: dict[str, Kind] = {f"{kind}s": kind for kind in get_args(Kind)}


@click.command("list")
@click.argument("what", type=click.Choice(list(KINDS)), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(what: str | None, as_json: bool) -> None:
    """List the methods, data sets or metrics that are installed; all three without an argument."""
    found = registry()
    plugins = {name: found.of_kind(kind) for name, kind in KINDS.items() if what in (None, name)}
    if as_json:
        facts = {name: [_facts(plugin) for plugin in own] for name, own in plugins.items()}
        click.echo(json.dumps(facts[what] if what else facts, indent=1))
        return
    formatter = click.HelpFormatter(max_width=100)
    for name, own in plugins.items():
        with formatter.section(name.capitalize()):
            formatter.write_dl([(plugin.key, _line(plugin)) for plugin in own] or [("none", "")])
    click.echo(formatter.getvalue(), nl=False)


def _facts(plugin: Plugin[Any]) -> dict[str, Any]:
    facts = {"name": plugin.key, "summary": plugin.record.summary, "distribution": plugin.distribution}
    if hasattr(plugin.record, "capabilities"):
        facts |= {"kind": plugin.record.kind, "capabilities": sorted(plugin.record.capabilities)}
    return facts


def _line(plugin: Plugin[Any]) -> str:
    marks = sorted(getattr(plugin.record, "capabilities", ()))
    return plugin.record.summary + (f" [{', '.join(marks)}]" if marks else "")
