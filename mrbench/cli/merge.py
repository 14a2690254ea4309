"""``mrbench merge``."""

import sys
from collections import Counter
from pathlib import Path

import click

from mrbench.engine.inventory import Kind
from mrbench.visible import visible

NAMES = {Kind.TRAINING: "trainings", Kind.CELL: "cells", Kind.FAILURE: "failed cells", Kind.RUN: "runs"}

REFUSED = (
    "what was refused stays where it is: mrbench repair RUN there moves damaged cells aside, and the same mrbench run "
    "computes them, and those of another version, anew"
)


@click.command("merge")
@click.argument("folders", nargs=-1, required=True, metavar="FROM...", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    metavar="INTO",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of results to copy into, new or not; cells found there are kept.",
)
def command(folders: tuple[Path, ...], out: Path) -> None:
    """Copy the runs, cells and trainings of results folders into one.

    Every byte of a copy is compared with the digests that were recorded when it was written, before it has its name. A
    cell or training that is there with the same content is kept once. One of the same name and other content is
    refused and named, and what is there stays; so is one that is damaged. The folders FROM are only read. After an
    interruption the same command goes on.

    \b
    Exit codes: 0 everything is there, 1 something was refused.
    """
    from mrbench.engine.merge import Outcome, merge

    counts: Counter[tuple[Kind, Outcome]] = Counter()
    for one in merge(folders, out):
        counts[one.item.kind, one.outcome] += 1
        if one.outcome is Outcome.REFUSED:
            click.echo(visible(f"refused: {one.fault}"), err=True)
    for kind, name in NAMES.items():
        click.echo(f"{name}: " + ", ".join(f"{counts[kind, outcome]} {outcome}" for outcome in Outcome))
    refused = any(outcome is Outcome.REFUSED for _, outcome in counts)
    if refused:
        click.echo(REFUSED, err=True)
    sys.exit(int(refused))
