"""A data set as commands name it: with options, and in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrbench.cli.plugins import registry
from mrbench.data.folder import data_folder
from mrbench.registry import Plugin

if TYPE_CHECKING:
    from mrbench.configuration import Config
    from mrbench.data.caseset import CaseSet

SETTINGS = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the data set.")


def configured(name: str, settings: tuple[str, ...], plugin_files: tuple[Path, ...]) -> tuple[Plugin[Any], "Config"]:
    """The data set of that name, and its options.

    Raises:
        UsageError: no such data set or option.
    """
    from mrbench.cli.run import parse_setting

    plugin = registry(plugin_files).get("dataset", name)
    values = dict(parse_setting(text) for text in settings)
    return plugin, plugin.load_config().parse(values, owner=plugin.key)


def load(plugin: Plugin[Any], config: "Config", data: Path | None) -> "CaseSet":
    """Its cases, from the folder that ``--data`` names. Errors: those of ``Dataset.load``."""
    cases: CaseSet = plugin.load()(config, data_folder(data)).load()
    return cases
