"""``mrbench repair``."""

import sys
from pathlib import Path

import click

from mrbench.cli.options import OUT
from mrbench.engine.repair import anew, repair
from mrbench.engine.run import open_run
from mrbench.visible import visible


@click.command("repair")
@click.argument("run", default="last")
@OUT
def command(run: str, out: Path) -> None:
    """Check every file of a run, and move damaged cells and trainings aside.

    RUN is its id, its folder, or "last". Every byte is compared with the digests that were recorded when it was
    written. A damaged cell or training is moved to the folder "damaged" of the results folder, nothing is deleted and
    nothing else is touched; the commands that compute it anew are printed.

    \b
    Exit codes: 0 everything is what was written, 1 something was moved aside.
    """
    opened = open_run(run, out)
    commands: dict[str, None] = {}
    for damage in repair(opened):
        what = "training" if damage.training else "cell"
        click.echo(visible(f"{damage.fault}; the {what} was moved to {damage.moved}"))
        commands[anew(damage, opened)] = None
    if not commands:
        click.echo(f"run {opened.id}: every file of its {len(opened.cells)} cells is what was written")
        return
    click.echo("computed anew by:")
    for line in commands:
        click.echo(visible(f"  {line}"))
    sys.exit(1)
