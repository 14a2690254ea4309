"""``mrbench clean``."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mrbench.cli.options import FOLDER
from mrbench.engine.clean import USUAL, Removable, clean, removable
from mrbench.engine.unreferred import What
from mrbench.engine.writing_faults import bytes_text
from mrbench.visible import visible

IN_WORDS = {
    What.CELLS: "cells of no run",
    What.TRAININGS: "trainings of no run",
    What.ATTEMPTS: "failed attempts",
    What.DAMAGED: "what was damaged and moved aside",
    What.CHECKPOINTS: "attempts that a run would continue from",
    What.OTHER_CODE: "runs of other code, with what they alone refer to",
}


@click.command("clean")
@click.argument("what", nargs=-1, type=click.Choice([one.value for one in What]), metavar="[WHAT]...")
@FOLDER
@click.option("--yes", is_flag=True, help="Remove without asking.")
def command(what: tuple[str, ...], out: Path, yes: bool) -> None:
    """Remove from a results folder what no run refers to.

    Lists what would go with its bytes, and asks. Where nobody can be asked and --yes is not given, nothing is removed.
    What a run refers to, what a process is at, and what a link leads to is never touched.

    \b
    WHAT is any of these; without it, the first four:
      cells        cells that no run refers to
      trainings    trainings that no run refers to, and no cell that stays
      attempts     attempts of processes that are gone
      damaged      what mrbench repair and mrbench run moved aside
      checkpoints  attempts that a run would continue from
      other-code   runs of which every cell was computed by other code than is
                   installed here, or stands in another run, too, with the
                   cells and trainings that no other run refers to

    \b
    Exit codes: 0 all of it is gone, or there is nothing, 1 something stays.
    """
    asked = [What(one) for one in what] or list(USUAL)
    found = removable(out, asked)
    _list(found, out)
    if not found:
        return
    if not yes and not _agreed(found, what, out):
        sys.exit(1)
    sys.exit(_remove(found, asked, out))


def _list(found: Sequence[Removable], out: Path) -> None:
    for one in What:
        items = [each.item for each in found if each.what is one]
        if items:
            click.echo(f"{IN_WORDS[one]}: {len(items)}, {bytes_text(sum(item.bytes for item in items))}")
        for item in items:
            click.echo(visible(f"  {bytes_text(item.bytes):>10}  {item.path}"))
    size = bytes_text(sum(one.item.bytes for one in found))
    click.echo(visible(f"{size} in {out} may go" if found else f"nothing in {out} may go"))


def _agreed(found: Sequence[Removable], what: Sequence[str], out: Path) -> bool:
    if _can_be_asked():
        return click.confirm(f"remove these {len(found)}?" if len(found) > 1 else "remove it?")
    click.echo(f"nothing was removed; this removes it:\n  {shlex.join(['mrbench', 'clean', *what])} ", nl=False)
    click.echo(shlex.join(["--out", str(out), "--yes"]))
    return False


def _can_be_asked() -> bool:
    return sys.stdin.isatty()


def _remove(found: Sequence[Removable], asked: Sequence[What], out: Path) -> int:
    freed, stays = 0, 0
    for one, reason in clean(out, found, asked):
        if reason:
            click.echo(visible(f"{one.item.path} stays: {reason}"), err=True)
        stays += bool(reason)
        freed += 0 if reason else one.item.bytes
    click.echo(f"removed {bytes_text(freed)}")
    return int(stays > 0)
