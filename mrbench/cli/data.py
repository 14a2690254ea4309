"""``mrbench data``."""

from pathlib import Path

import click

from mrbench.cli.data_import import import_folder
from mrbench.cli.data_info import info
from mrbench.cli.data_inspect import inspect
from mrbench.cli.data_list import list_datasets
from mrbench.cli.dataset import SETTINGS, configured
from mrbench.cli.options import DATA, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.data.folder import data_folder
from mrbench.data.loading import cases_of
from mrbench.errors import UsageError


@click.group("data")
def command() -> None:
    """Prepare, verify and look at data sets."""


for one in (list_datasets, info, inspect, import_folder):
    command.add_command(one)


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
    from mrbench.cards import load_attribute

    plugin, config = configured(name, settings, registry(plugin_files), data)
    if not plugin.card.prepare:
        raise UsageError(
            f"nothing prepares data set {name!r}: it is read or generated as it is", hint=plugin.card.source
        )
    folder = data_folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{plugin.card.name}.h5"
    told = load_attribute(plugin.card.prepare)(source, out, config)
    click.echo(told or f"wrote {out}")


@command.command("verify", short_help="Check every case and the content digest.")
@click.argument("name")
@DATA
@SETTINGS
@PLUGIN_FILES
def verify(name: str, data: Path | None, settings: tuple[str, ...], plugin_files: tuple[Path, ...]) -> None:
    """Read every case, run the loading checks and recompute the content digest."""
    from mrbench.data.checks import check_cases
    from mrbench.errors import DataError

    plugin, config = configured(name, settings, registry(plugin_files), data)
    cases = cases_of(plugin, config, data)
    leaks = [line for split in cases.splits.values() for line in split.leak_warnings(cases.subjects, owner=name)]
    for line in [*check_cases(cases), *leaks]:
        click.echo(f"warning: {line}")
    found = cases.compute_digest()
    if found != cases.digest:
        raise DataError(f"data set {name!r} is not what was written", expected=cases.digest, found=found)
    void = f", {share:.2%} of the pixels void" if (share := cases.void_share()) else ""
    click.echo(f"{name}: {len(cases)} cases of {len(set(cases.subjects))} subjects{void}, digest {found}")
