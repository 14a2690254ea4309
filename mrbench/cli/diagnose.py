"""``mrbench diagnose``."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mrbench.cli.columns import Column, print_columns, print_notes
from mrbench.cli.options import DATA, OUT, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.data.folder import data_folder
from mrbench.engine.launch import DEVICES
from mrbench.errors import MrbenchError
from mrbench.visible import visible

if TYPE_CHECKING:
    from mrbench.diagnostics.diagnose import Asked
    from mrbench.diagnostics.document import Diagnosis
    from mrbench.diagnostics.figures import Figure
    from mrbench.registry import Registry
    from mrbench.results.method_run import MethodRun

EXITS = "\b\nExit codes: 0 every finished cell is diagnosed, 1 one could not be, 2 usage."


@click.command("diagnose", epilog=EXITS)
@click.argument("runs", nargs=-1, metavar="[RUN[:METHOD]]...")
@click.option("--draws", type=click.IntRange(2, 4096), default=8, show_default=True, help="Drawn again of each answer.")
@click.option("--cases", type=click.IntRange(1), help="At most so many test cases of a cell. [default: all]")
@click.option("--other-code", is_flag=True, help="Go on where the code is not that of the training.")
@click.option("--force", is_flag=True, help="Diagnose cells again that are diagnosed.")
@click.option("--device", type=click.Choice(DEVICES), default="auto", show_default=True)
@DATA
@OUT
@PLUGIN_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(runs: Sequence[str], out: Path, plugin_files: tuple[Path, ...], as_json: bool, **asked: Any) -> None:
    """Ask the weights of finished cells what their latents do.

    RUN is a run's id, its folder, or "last". Each finished cell is drawn from again, after its predictions are closed,
    and keeps what is found as diagnostics.json; the same command again continues. docs/diagnostics.md says what the
    figures are.

    \b
    mrbench diagnose last
    mrbench diagnose last:proseg --cases 20
    """
    from mrbench.comparison.selection import parse_operand
    from mrbench.diagnostics.diagnose import Asked

    found = registry(plugin_files)
    operands = [parse_operand(text, out) for text in runs or ("last",)]
    wanted = [run for operand in operands for name in operand.datasets for run in operand.runs(name)]
    force, data = asked.pop("force"), asked.pop("data")
    own = Asked(data=data_folder(data), plugin_files=plugin_files, **asked)
    sys.exit(diagnose_runs(wanted, found, own, force=force, as_json=as_json))


def diagnose_runs(
    runs: Sequence["MethodRun"],
    registry: "Registry",
    asked: "Asked",
    *,
    force: bool = False,
    as_json: bool = False,
    show: bool = True,
) -> int:
    """Diagnoses the finished cells of method runs and prints what was found, where ``show`` says so.

    Returns the exit code.

    A cell that cannot be diagnosed is told of, and costs the others nothing.
    """
    from mrbench.diagnostics.diagnose import diagnose, kept_diagnosis, other_version
    from mrbench.diagnostics.document import Diagnosis

    found: dict[str, list[Diagnosis]] = {}
    failed = 0
    for run in runs:
        for result in run.done:
            kept = None if force else kept_diagnosis(result, asked)
            old = other_version(result)
            try:
                one = kept or diagnose(result, registry, asked)
            except MrbenchError as error:
                failed += 1
                click.echo(visible(f"{result.spec.title}: {error.message}"), err=True)
                continue
            found.setdefault(f"{run.method} on {run.dataset}", []).append(one)
            done = "kept" if kept else f"diagnosed{f', in place of figures of version {old}' if old else ''}"
            click.echo(f"{result.spec.title}: {done}{_remarks(one)}", err=True)
    if as_json:
        click.echo(json.dumps({name: [asdict(one) for one in own] for name, own in found.items()}, indent=1))
    elif show:
        _print(found)
    return int(failed > 0)


def _remarks(one: "Diagnosis") -> str:
    drawn = "" if one.same_draws is None else f", draws as stored in {one.same_draws} of {one.cases} cases"
    return drawn + (f", other code than its training's: {one.other_code}" if one.other_code else "")


def _print(found: Mapping[str, Sequence["Diagnosis"]]) -> None:
    from rich.console import Console
    from rich.text import Text

    from mrbench.diagnostics.figures import mean_of
    from mrbench.diagnostics.names import EXPLAINED
    from mrbench.diagnostics.verdicts import verdicts
    from mrbench.results.numbers import short

    figures = {title: mean_of(one.figures for one in own) for title, own in found.items()}
    names = list(dict.fromkeys(name for own in figures.values() for name, one in own.items() if one.value is not None))
    if not names:
        return
    console = Console()
    columns = [
        Column(title.partition(" on ")[0], [Text(_text(own.get(name), short)) for name in names])
        for title, own in figures.items()
    ]
    print_columns(console, Column("", [Text(name) for name in names]), columns)
    print_notes(console, (f"{name}: {text}" for name, text in EXPLAINED.items() if name in names))
    print_notes(console, (f"{title}: {verdict}" for title, own in figures.items() for verdict in verdicts(own)))


def _text(figure: "Figure | None", number: Callable[[float], str]) -> str:
    return "" if figure is None or figure.value is None else number(figure.value)
