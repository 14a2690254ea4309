"""``mrbench du``."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from mrbench.cli.columns import Column, print_columns, print_notes
from mrbench.cli.options import FOLDER
from mrbench.engine.inventory import Kind
from mrbench.engine.writing_faults import bytes_text
from mrbench.visible import visible

if TYPE_CHECKING:
    from mrbench.engine.unreferred import Holdings
    from mrbench.engine.usage import Amount, RunUsage

Cells = dict[str, str]
"""Of a row, by the header of the column."""


@click.command("du")
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(out: Path, as_json: bool) -> None:
    """Say what takes how many bytes of a results folder.

    By data set and method, by run, and what no run refers to, which "mrbench clean" removes. A method's trainings stand
    with its family. Cells and trainings of several runs count in each run. Links are not followed; a file counts with
    its size, not with the blocks that it takes.
    """
    from mrbench.engine.unreferred import holdings

    found = holdings(out)
    click.echo(json.dumps(_as_json(found), indent=1)) if as_json else _print(found)


def _as_json(found: "Holdings") -> dict[str, Any]:
    from mrbench.engine import usage

    methods = [
        {"dataset": dataset, "method": method, "cells": _facts(kinds, Kind.CELL)}
        | {"trainings": _facts(kinds, Kind.TRAINING)}
        for (dataset, method), kinds in usage.by_method(found).items()
    ]
    runs = [
        {"run": name, "held": vars(run.held), "alone": vars(run.alone), "bytes": run.own, "logs": run.logs}
        for name, run in usage.by_run(found).items()
    ]
    return {
        "folder": str(found.inventory.results),
        "bytes": usage.total(found),
        "kinds": {kind.value: vars(amount) for kind, amount in usage.by_kind(found).items()},
        "methods": methods,
        "runs": runs,
        "unreferred": {name: vars(amount) for name, amount in usage.unreferred(found).items()},
        "notes": list(_notes(found)),
    }


def _facts(kinds: Mapping[Kind, "Amount"], kind: Kind) -> dict[str, int]:
    return dict(vars(kinds[kind])) if kind in kinds else {"count": 0, "bytes": 0}


def _print(found: "Holdings") -> None:
    from mrbench.engine import usage

    console = Console()
    rows = {" ".join(name): _of_method(kinds) for name, kinds in usage.by_method(found).items()}
    _print_rows(console, "method", rows)
    runs = usage.by_run(found)
    _print_rows(console, "run", {name: _of_run(run) for name, run in runs.items()})
    loose = {name: amount for name, amount in usage.unreferred(found).items() if amount.count}
    header = "no run that can be read refers to" if found.references.faults else "no run refers to"
    _print_rows(console, header, {name: _amount(amount) for name, amount in loose.items()})
    console.print(f"{bytes_text(usage.total(found))} in all", highlight=False)
    print_notes(console, _notes(found))
    if loose:
        print_notes(console, [f"{_clean(found.inventory.results)} lists what may go, and asks."])


def _of_method(kinds: Mapping[Kind, "Amount"]) -> Cells:
    named = {Kind.CELL: ("cells", "bytes"), Kind.TRAINING: ("trainings", "bytes of them")}
    found = {kind: (str(kinds[kind].count), _size(kinds[kind])) if kind in kinds else ("", "") for kind in named}
    return {name: text for kind, names in named.items() for name, text in zip(names, found[kind], strict=True)}


def _of_run(run: "RunUsage") -> Cells:
    return _amount(run.held) | {"alone": _size(run.alone), "logs": bytes_text(run.logs)}


def _amount(amount: "Amount") -> Cells:
    return {"number": str(amount.count), "bytes": _size(amount)}


def _size(amount: "Amount") -> str:
    return bytes_text(amount.bytes)


def _print_rows(console: Console, header: str, rows: Mapping[str, Cells]) -> None:
    if not rows:
        return
    headers = dict.fromkeys(name for cells in rows.values() for name in cells)
    columns = [Column(name, [Text(cells.get(name, "")) for cells in rows.values()]) for name in headers]
    print_columns(console, Column(header, [Text(visible(name)) for name in rows]), columns)
    console.print()


def _clean(results: Path) -> str:
    return shlex.join(["mrbench", "clean", "--out", str(results)])


def _notes(found: "Holdings") -> Iterator[str]:
    for error in found.references.faults:
        yield f"{error.fault}; what it refers to is not known"
    for item in found.inventory.of(Kind.LINK):
        yield visible(f"{item.path} is a link: not followed, not counted")
    for folder in found.inventory.unreadable:
        yield visible(f"{folder} cannot be listed: not counted")
