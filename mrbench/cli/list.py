"""``mrbench list``."""

from typing import get_args

import click

from mrbench.cli.plugins import registry
from mrbench.registry import Kind, Plugin


@click.command("list")
@click.argument("what", type=click.Choice([f"{kind}s" for kind in get_args(Kind)]), default="methods")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(what: str, as_json: bool) -> None:
    """List the methods, data sets or metrics that are installed."""
    kind: Kind = what.removesuffix("s")  # type: ignore[assignment]
    plugins = registry().of_kind(kind)
    if as_json:
        import json

        click.echo(json.dumps([{"name": p.key, "summary": p.record.summary} for p in plugins], indent=1))
        return
    if not plugins:
        click.echo(f"no {what} are installed")
        return
    formatter = click.HelpFormatter(max_width=100)
    formatter.write_dl([(plugin.key, _line(plugin)) for plugin in plugins])
    click.echo(formatter.getvalue(), nl=False)


def _line(plugin: Plugin) -> str:  # type: ignore[type-arg]
    marks = sorted(getattr(plugin.record, "capabilities", ()))
    return plugin.record.summary + (f" [{', '.join(marks)}]" if marks else "")
