"""The registry as commands use it: plugins that were set aside are told of once, on stderr."""

import click

from mrbench.registry import Registry, discover


def registry() -> Registry:
    """All plugins, with one warning line for each one that was set aside."""
    found = discover()
    for line in found.warnings():
        click.echo(f"warning: {line}", err=True)
    return found
