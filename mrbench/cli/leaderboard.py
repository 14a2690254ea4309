"""``mrbench leaderboard``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrbench.cli.options import OUT, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.errors import UsageError
from mrbench.visible import visible

if TYPE_CHECKING:
    from mrbench.leaderboard.board import Board
    from mrbench.leaderboard.verify import Verified

BOARD = Path("leaderboard")
SITE = Path("leaderboard-site")
FOLDER = click.argument("folder", type=click.Path(path_type=Path), default=BOARD)
LISTED = 10


@click.group("leaderboard")
def command() -> None:
    """Pack results, check them, and build tables and a site that work offline.

    A leaderboard is a folder with records/, reported.csv and board.toml.

    \b
    mrbench leaderboard add last
    mrbench leaderboard verify
    mrbench leaderboard build
    mrbench leaderboard serve
    """


@command.command("add", short_help="Pack the rows of runs as entries.")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@OUT
@click.option("--method", "methods", multiple=True, metavar="NAME", help="A method; repeat for several. [default: all]")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    default=BOARD,
    show_default=True,
    help="Folder of the leaderboard.",
)
@click.option("--with-failures", is_flag=True, help="Submit methods that did not finish, too; never ranked.")
@click.option("--submitter", default="", metavar="NAME", help="Who submits, as it will be shown.")
@click.option("--note", default="", metavar="TEXT", help="What readers should know.")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="A metric to pack besides those of tables; repeatable."
)
@PLUGIN_FILES
def add_command(
    runs: tuple[str, ...],
    out: Path,
    methods: tuple[str, ...],
    to: Path,
    with_failures: bool,
    submitter: str,
    note: str,
    metrics: tuple[str, ...],
    plugin_files: tuple[Path, ...],
) -> None:
    """Pack the rows of runs as entries: settings, provenance, scores of every case, and curves; no images, no paths.

    RUN is a run's id, its folder, or "last" (the default). Folds and seeds of one method with the same settings are
    one entry, also from several runs.
    """
    from mrbench.engine.run import open_run
    from mrbench.leaderboard.add import add
    from mrbench.leaderboard.pack import candidates, check_submittable, is_begun, pack

    found = registry(plugin_files)
    chosen = candidates([open_run(name, out) for name in runs or ("last",)], methods)
    if with_failures:
        for one in (one for one in chosen if not is_begun(one)):
            click.echo(f"left out, for it was never computed: {one.method!r} on {one.dataset!r}")
        chosen = [one for one in chosen if is_begun(one)]
    if not chosen:
        raise UsageError("there is nothing to add", hint="mrbench show tells what the run holds")
    for one in chosen:
        check_submittable(one, with_failures=with_failures)
    for one in chosen:
        packed = pack(one, found, metrics=metrics, submitter=submitter, note=note)
        added = add(packed, to)
        size = f"{added.bytes / 1024:,.0f} KiB"
        click.echo(f"added {added.folder} ({size})" if added.new else f"there already: {added.folder}")


@command.command("verify", short_help="Compute every entry again.")
@FOLDER
@PLUGIN_FILES
def verify_command(folder: Path, plugin_files: tuple[Path, ...]) -> None:
    """Check every entry, and compute its metrics and intervals again from the cases that are packed with it.

    FOLDER is that of the leaderboard, or of one entry. Exits with 1 where something is wrong.
    """
    from mrbench.leaderboard.build import check_board
    from mrbench.leaderboard.store import ENTRY, read_entry
    from mrbench.leaderboard.verify import Verifier

    verifier = Verifier(registry(plugin_files))
    if (folder / ENTRY).exists():
        verified = iter([verifier.entry(read_entry(folder.resolve()))])
    else:
        check_board(folder)
        verified = verifier.board(folder)
    found: list[Verified] = []
    for one in verified:
        found.append(one)
        for fault in one.faults:
            _print_fault(fault.path, fault.field, fault.expected, fault.found)
    _print_verdict(found)
    sys.exit(any(one.faults for one in found))


def _print_fault(path: str, field: str, expected: str, found: str) -> None:
    click.echo(f"{path}\n  {field}")
    for name, text in (("expected", expected), ("found", found)):
        if text:
            click.echo(f"    {name + ':':<9} {text}")


def _print_verdict(found: "Sequence[Verified]") -> None:
    wrong = sum(bool(one.faults) for one in found)
    numbers = sum(one.recomputed for one in found)
    click.echo(f"{_count(len(found), 'entry', 'entries')}, {numbers:,} numbers computed again, {wrong} wrong")
    for one in found:
        if one.unchecked:
            shown = ", ".join(one.unchecked[:LISTED]) + (" ..." if len(one.unchecked) > LISTED else "")
            click.echo(f"note: {one.path}: not computed again, for these are defined otherwise or not here: {shown}")


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


@command.command("build", short_help="Write the site and tables.")
@FOLDER
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    default=SITE,
    show_default=True,
    help="Folder to write; one that an earlier build wrote is replaced.",
)
@PLUGIN_FILES
def build_command(folder: Path, to: Path, plugin_files: tuple[Path, ...]) -> None:
    """Build the site, and the tables as CSV, JSON, Markdown and LaTeX, from a leaderboard in FOLDER.

    Entries that are not valid are set aside, told of here and on the site, and stop nothing.
    """
    from mrbench.leaderboard.build import build

    built = build(folder, to, registry(plugin_files))
    _tell_set_aside(built.board)
    entries = _count(len(built.board.entries), "entry", "entries")
    click.echo(f"built {to} from {entries}: {built.files:,} files, {built.bytes / 2**20:.1f} MiB")
    click.echo(f"  {to / 'index.html'}")


def _tell_set_aside(board: "Board") -> None:
    for one in board.set_aside[:LISTED]:
        click.echo(visible(f"warning: set aside: {one.path}: {one.fault}"), err=True)
    if len(board.set_aside) > LISTED:
        more = len(board.set_aside) - LISTED
        click.echo(f"warning: and {more} more; mrbench leaderboard verify lists them", err=True)


@command.command("serve", short_help="Show the site to a browser.")
@click.argument("folder", type=click.Path(path_type=Path), default=SITE)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: a free one]")
def serve_command(folder: Path, port: int) -> None:
    """Serve a built leaderboard to the browsers of this computer until Ctrl-C; nobody else can reach it."""
    from mrbench.leaderboard.build import check_built
    from mrbench.leaderboard.serve import HOST, server

    check_built(folder)
    with server(folder, port) as serving:
        click.echo(f"http://{HOST}:{serving.server_port}/  (Ctrl-C ends)")
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended")
