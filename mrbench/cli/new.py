"""``mrbench new``."""

from pathlib import Path
from typing import get_args

import click

from mrbench.cli.plugins import registry
from mrbench.scaffold.names import Made, Names
from mrbench.scaffold.write import next_commands, write_plugin


@click.command("new")
@click.argument("kind", type=click.Choice(get_args(Made)))
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write it. [default: the current folder]",
)
@click.option("--file", "single", is_flag=True, help="Write one file, for --plugin-file, instead of a package.")
def command(kind: Made, name: str, folder: Path, single: bool) -> None:
    """Write a plugin that works as it is, to be made your own: the package mrbench-NAME, or one file.

    \b
    mrbench new method my-segmenter
    mrbench new fusion my-vote --file
    mrbench new metric my-metric --file
    """
    names = Names(kind, name, single)
    names.check(registry())
    path = write_plugin(names, folder)
    click.echo(f"wrote {path}; next:")
    for line in next_commands(names, path):
        click.echo(f"  {line}")
