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
    from mrbench.leaderboard.registered import Registered, RegisteredData
    from mrbench.leaderboard.store import Stored
    from mrbench.leaderboard.verify import Fault, Verified

BOARD = Path("leaderboard")
SITE = Path("leaderboard-site")
FOLDER = click.argument("folder", type=click.Path(path_type=Path), default=BOARD)
REGISTERED = "registry.json"
LISTED = 10


@click.group("leaderboard")
def command() -> None:
    """Pack results, check them, and build tables and a site that work offline.

    A leaderboard is a folder with records/, registry.json, reported.csv and board.toml.

    \b
    mrbench leaderboard add last
    mrbench leaderboard register ENTRY
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
    from mrbench.leaderboard.registered import read_registered
    from mrbench.leaderboard.store import read_entry

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
    proposed = read_registered(to)
    for one in chosen:
        packed = pack(one, found, metrics=metrics, submitter=submitter, note=note)
        added = add(packed, to)
        size = f"{added.bytes / 1024:,.0f} KiB"
        click.echo(f"added {added.folder} ({size})" if added.new else f"there already: {added.folder}")
        proposed = _propose(read_entry(added.folder.resolve()), added.folder, proposed)


def _propose(stored: "Stored", folder: Path, registered: "Registered") -> "Registered":
    """Says what a person would register, once for each data set; the registered data with that."""
    from mrbench.errors import DataError
    from mrbench.leaderboard.register import line_of_entry

    try:
        line = line_of_entry(stored)
        more = registered.with_line(line)
    except DataError as error:
        click.echo(f"note: it will be listed apart: {visible(error.message)}", err=True)
        return registered
    if more.folds != registered.folds:
        click.echo(f"\nits data are not registered, and no such entry is ranked. {REGISTERED} would get:")
        _print_line(line)
        click.echo(f"a person who knows the data accepts them with\n  mrbench leaderboard register {folder}\n")
    return more


def _print_line(line: "RegisteredData") -> None:
    raters = f"{len(line.data.rater_names)} {line.data.raters} raters"
    click.echo(visible(f"  {line.dataset}: data {line.data_digest[:12]}, split {line.split} {line.split_digest[:12]}"))
    click.echo(visible(f"    {raters}, classes {', '.join(line.data.classes)}, unit {line.data.unit}"))
    for fold, protocols in line.folds.items():
        for protocol, found in protocols.items():
            click.echo(f"    fold {fold}, {protocol}: {found.cases:,} cases, digest {found.digest[:12]}")


@command.command("register", short_help="Accept the data of an entry.")
@click.argument("entry", type=click.Path(exists=True, file_okay=False, path_type=Path))
def register_command(entry: Path) -> None:
    """Accept the data set, split and test cases of ENTRY, the folder of an entry, for its leaderboard.

    Entries of data that nobody accepted are listed apart. Accept those of an entry that you computed yourself, or whose
    data you know: later ones are compared with it.
    """
    from mrbench.leaderboard.register import register
    from mrbench.leaderboard.store import read_entry

    stored = read_entry(entry.resolve())
    line, others = register(stored)
    click.echo("registered")
    _print_line(line)
    for other in others:
        click.echo(f"note: other data of this name are registered too: data {other.data_digest[:12]}", err=True)


@command.command("verify", short_help="Compute every entry again.")
@FOLDER
@PLUGIN_FILES
def verify_command(folder: Path, plugin_files: tuple[Path, ...]) -> None:
    """Check every entry, and compute its metrics and intervals again from the cases that are packed with it.

    FOLDER is that of the leaderboard, or of one entry. Exits with 1 where something is wrong.
    """
    from mrbench.leaderboard.build import check_board
    from mrbench.leaderboard.registered import read_registered
    from mrbench.leaderboard.store import ENTRY, board_of, read_entry
    from mrbench.leaderboard.verify import Verifier

    alone = (folder / ENTRY).exists()
    if not alone:
        check_board(folder)
    board = board_of(folder.resolve()) if alone else folder
    verifier = Verifier(registry(plugin_files), read_registered(board))
    verified = iter([verifier.entry(read_entry(folder.resolve()))]) if alone else verifier.board(folder)
    found: list[Verified] = []
    for one in verified:
        found.append(one)
        for fault in one.faults:
            _print_fault(fault)
    _print_verdict(found)
    sys.exit(any(one.faults for one in found))


def _print_fault(fault: "Fault") -> None:
    click.echo(f"{fault.path}\n  {fault.field} ({fault.why})")
    for name, text in (("expected", fault.expected), ("found", fault.found)):
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
@click.option("--strict", is_flag=True, help="Exit with 1 where an entry is listed apart.")
@PLUGIN_FILES
def build_command(folder: Path, to: Path, strict: bool, plugin_files: tuple[Path, ...]) -> None:
    """Build the site, and the tables as CSV, JSON, Markdown and LaTeX, from a leaderboard in FOLDER.

    Every entry is verified first. Those that do not verify are listed apart with the reason, here and on the site; they
    are not ranked, and stop nothing. What was verified is kept beside the built folder for the next time.
    """
    from mrbench.leaderboard.build import build

    built = build(folder, to, registry(plugin_files))
    _tell_apart(built.board)
    entries = _count(len(built.board.entries), "entry that verified", "entries that verified")
    click.echo(f"built {to} from {entries}: {built.files:,} files, {built.bytes / 2**20:.1f} MiB")
    click.echo(f"  {to / 'index.html'}")
    sys.exit(strict and bool(built.board.listed_apart))


def _tell_apart(board: "Board") -> None:
    for one in board.listed_apart[:LISTED]:
        click.echo(visible(f"warning: listed apart, {one.why}: {one.path}: {one.fault}"), err=True)
    if len(board.listed_apart) > LISTED:
        more = len(board.listed_apart) - LISTED
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
