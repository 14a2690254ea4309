"""The registry as commands use it: plugins that were set aside are told of once, on stderr."""

from collections.abc import Sequence
from pathlib import Path

import click

from mrbench.registry import Registry, discover


def registry(files: Sequence[Path] = ()) -> Registry:
    """All plugins, those of single files included, with one warning line for each one that was set aside."""
    found = discover(files=files)
    for line in found.warnings():
        click.echo(f"warning: {line}", err=True)
    return found
