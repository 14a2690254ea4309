"""``mrbench data inspect``."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrbench.cli.dataset import SETTINGS, configured
from mrbench.cli.options import DATA, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.data.loading import cases_of
from mrbench.errors import UsageError
from mrbench.visible import visible

if TYPE_CHECKING:
    from mrbench.data.description import Description
    from mrbench.data.inspection import Inspection, RaterFacts


@click.command("inspect", short_help="A one-page report, and a contact sheet.")
@click.argument("name")
@DATA
@SETTINGS
@PLUGIN_FILES
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A PNG of cases with their outlines.")
@click.option("--cases", "count", type=click.IntRange(1), default=24, show_default=True, help="Cases in the PNG.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def inspect(
    name: str,
    data: Path | None,
    settings: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    out: Path | None,
    count: int,
    as_json: bool,
) -> None:
    """Print counts, agreement, area ranks, missing raters and duplicates; --out draws images with all outlines."""
    if out is not None and out.suffix.lower() != ".png":
        raise UsageError(f"{out} is no name of a picture", expected="one that ends with .png")
    plugin, config = configured(name, settings, registry(plugin_files), data)
    cases = cases_of(plugin, config, data)
    if out is not None:
        from mrbench.pictures import write_contact_sheet

        write_contact_sheet(cases, out, count)
    from mrbench.data.inspection import inspect_cases

    found = inspect_cases(cases)
    if as_json:
        click.echo(json.dumps(_finite(asdict(found)), indent=1))
        return
    _print(plugin.key, cases.description, found)
    # Not wrapped, so that it can be copied.
    click.echo(f"More on agreement:\n  {_agreement(plugin.key, data, settings, plugin_files)}")
    if out is not None:
        click.echo(f"wrote {visible(str(out))}")


def _agreement(name: str, data: Path | None, settings: tuple[str, ...], plugin_files: tuple[Path, ...]) -> str:
    """The command that says more of the same cases."""
    words = ["mrbench", "agreement", name]
    words += [] if data is None else ["--data", str(data)]
    words += [word for setting in settings for word in ("--set", setting)]
    words += [word for path in plugin_files for word in ("--plugin-file", str(path))]
    return visible(shlex.join(words))


def _finite(value: Any) -> Any:
    # JSON has no NaN.
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and isnan(value) else value


def _print(name: str, description: "Description", found: "Inspection") -> None:
    from rich.console import Console
    from rich.text import Text

    from mrbench.cli.columns import Column, grids

    console = Console()
    raters = [Text(visible(rater.name)) for rater in found.raters]
    columns = [Column(title, [Text(text) for text in texts]) for title, texts in _columns(found.raters, description)]
    for line in _lines(name, description, found):
        console.print(visible(line), markup=False, highlight=False)
    for grid in grids(Column("rater", raters), columns, console.width):
        console.print()
        console.print(grid)
    console.print()
    for line in found.warnings:
        console.print(f"warning: {visible(line)}", markup=False, highlight=False)


def _lines(name: str, description: "Description", found: "Inspection") -> Iterator[str]:
    kind = f"{description.n_raters} {description.raters} raters"
    yield f"{name}: {found.cases:,} cases of {found.subjects:,} subjects, {kind}, unit {description.unit}"
    small, large = (" x ".join(map(str, size)) for size in found.sizes)
    yield f"size {small}" + (f" to {large}" if large != small else "")
    complete = "all" if found.complete == found.cases else f"{found.complete:,} of the"
    yield f"all raters looked at {complete} cases; nobody marked anything in {found.blank:,}"
    if found.void:
        yield f"void pixels, which count nowhere: {found.void:.2%}"
    if found.agreeing_cases:
        yield (
            f"mean pairwise Dice of the raters {found.dice:.4f}, foreground against background, over "
            f"{found.agreeing_cases:,} cases"
        )
    else:
        yield "no case has two raters to compare"


def _columns(raters: "tuple[RaterFacts, ...]", description: "Description") -> Iterator[tuple[str, list[str]]]:
    unit = "voxels" if description.unit == "volume" else "pixels"
    yield "looked at", [f"{rater.present:,}" for rater in raters]
    yield "marked nothing", [f"{rater.empty:,}" for rater in raters]
    yield f"mean {unit}", [_number(rater.area, ",.1f") for rater in raters]
    yield "mean area rank", [_number(rater.rank, ".2f") for rater in raters]
    yield "Dice with others", [_number(rater.dice, ".4f") for rater in raters]


def _number(value: float, form: str) -> str:
    return "" if isnan(value) else format(value, form)
