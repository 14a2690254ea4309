"""A data set as commands name it, with options."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrbench.data import loading
from mrbench.data.imported import find_dataset
from mrbench.registry import Plugin, Registry

if TYPE_CHECKING:
    from mrbench.configuration import Config

SETTINGS = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the data set.")


def configured(
    name: str, settings: tuple[str, ...], found: Registry, data: Path | None
) -> tuple[Plugin[Any], "Config"]:
    """The data set of that name, installed or imported into the data folder, and its options.

    Raises:
        UsageError: no such data set or option.
    """
    from mrbench.cli.run import parse_setting

    plugin = find_dataset(name, found, data)
    return plugin, loading.configured(plugin, dict(parse_setting(text) for text in settings))
