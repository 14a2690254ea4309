"""``mrbench data``."""

from pathlib import Path
from typing import Any

import click

from mrbench.cli.options import DATA, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.data.folder import data_folder
from mrbench.errors import UsageError

SETTINGS = click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="An option of the data set.")


@click.group("data")
def command() -> None:
    """Prepare, verify and look at data sets."""


@command.command("prepare", short_help="Turn files as downloaded into a container.")
@click.argument("name")
@click.option("--source", type=click.Path(exists=True, path_type=Path), required=True, help="The files as downloaded.")
@DATA
@SETTINGS
@PLUGIN_FILES
def prepare(
    name: str, source: Path, data: Path | None, settings: tuple[str, ...], plugin_files: tuple[Path, ...]
) -> None:
    """Turn a data set's files as downloaded into the container that runs read."""
    from mrbench.records import load_attribute

    plugin, config = _configured(name, settings, plugin_files)
    if not plugin.record.prepare:
        raise UsageError(
            f"nothing prepares data set {name!r}: it is read or generated as it is", hint=plugin.record.source
        )
    folder = data_folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{plugin.record.name}.h5"
    load_attribute(plugin.record.prepare)(source, out, config)
    click.echo(f"wrote {out}")


@command.command("verify", short_help="Check every case and the content digest.")
@click.argument("name")
@DATA
@SETTINGS
@PLUGIN_FILES
def verify(name: str, data: Path | None, settings: tuple[str, ...], plugin_files: tuple[Path, ...]) -> None:
    """Read every case, run the loading checks and recompute the content digest."""
    from mrbench.data.checks import check_cases
    from mrbench.errors import DataError

    cases = _load(name, data, settings, plugin_files)
    for line in check_cases(cases):
        click.echo(f"warning: {line}")
    found = cases.compute_digest()
    if found != cases.digest:
        raise DataError(f"data set {name!r} is not what was written", expected=cases.digest, found=found)
    click.echo(f"{name}: {len(cases)} cases of {len(set(cases.subjects))} subjects, digest {found}")


@command.command("inspect", short_help="Write a contact sheet.")
@click.argument("name")
@DATA
@SETTINGS
@PLUGIN_FILES
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The PNG to write.")
@click.option("--cases", "count", type=click.IntRange(1), default=24, show_default=True, help="Cases on the sheet.")
def inspect(
    name: str, data: Path | None, settings: tuple[str, ...], plugin_files: tuple[Path, ...], out: Path, count: int
) -> None:
    """Write a contact sheet: images with each rater's outline."""
    from mrbench.pictures import write_contact_sheet

    write_contact_sheet(_load(name, data, settings, plugin_files), out, count)
    click.echo(f"wrote {out}")


def _configured(name: str, settings: tuple[str, ...], plugin_files: tuple[Path, ...]) -> tuple[Any, Any]:
    from mrbench.cli.run import parse_setting

    plugin = registry(plugin_files).get("dataset", name)
    values = dict(parse_setting(text) for text in settings)
    return plugin, plugin.load_config().parse(values, owner=plugin.key)


def _load(name: str, data: Path | None, settings: tuple[str, ...], plugin_files: tuple[Path, ...]) -> Any:
    plugin, config = _configured(name, settings, plugin_files)
    return plugin.load()(config, data_folder(data)).load()
