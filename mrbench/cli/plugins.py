"""The registry as commands use it: plugins that were set aside are told of once, on stderr."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrbench.plugin_file import file_of
from mrbench.registry import KINDS, Kind, Registry, discover

if TYPE_CHECKING:
    from mrbench.engine.result import Result


def registry(files: Sequence[Path] = (), kinds: Iterable[Kind] = tuple(KINDS)) -> Registry:
    """All plugins of the kinds, those of single files included, with a warning line for each one that was set aside."""
    found = discover(files=files, kinds=kinds)
    for line in found.warnings():
        click.echo(f"warning: {line}", err=True)
    return found


def tell_absent_files(results: Sequence["Result"], found: Registry) -> None:
    """One line on stderr for each plugin file whose metrics a run has and that is not given now."""
    names = dict.fromkeys(name for result in results for name in (result.record or {}).get("metrics", {}))
    for file in dict.fromkeys(map(file_of, names)):
        if file and file not in found.files:
            click.echo(f"note: the metrics of {file} are left out; --plugin-file {file} shows them", err=True)
