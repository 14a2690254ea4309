"""``mrbench doctor``."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrbench.cli import COMMANDS
from mrbench.cli.options import DATA, OUT, PLUGIN_FILES
from mrbench.plugin_commands import plugin_commands

if TYPE_CHECKING:
    from mrbench.doctor.section import Section

COLUMNS = 100
"""Width at most."""

NAMES = 22
"""Width of the names at most."""

EXITS = "Exit codes: 0 nothing needs attention, 1 something does."


@click.command("doctor", epilog=EXITS)
@PLUGIN_FILES
@DATA
@OUT
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(plugin_files: tuple[Path, ...], data: Path | None, out: Path, as_json: bool) -> None:
    """Say what is installed, what is set aside and why: all that a bug report needs.

    Loads each plugin, data set and command once; computes and writes nothing.
    """
    with redirect_stdout(sys.stderr):  # what plugins print
        sections = _examined(plugin_files, data, out)
    click.echo(_without_home(_as_json(sections) if as_json else _as_text(sections)))
    sys.exit(int(any(section.attention for section in sections)))


def _examined(plugin_files: Sequence[Path], data: Path | None, out: Path) -> list["Section"]:
    from mrbench.data.folder import data_folder
    from mrbench.data.imported import imported_sets
    from mrbench.doctor.commands import commands
    from mrbench.doctor.data_sets import data_sets
    from mrbench.doctor.machine import machine
    from mrbench.doctor.observers import observers
    from mrbench.doctor.plugins import find_plugins, plugins
    from mrbench.doctor.results import results
    from mrbench.doctor.software import software

    registry = find_plugins(plugin_files)
    return [
        software(),
        machine(),
        data_sets([*registry.of_kind("dataset"), *imported_sets(registry, data)], data_folder(data)),
        results(out),
        plugins(registry),
        observers(registry),
        commands(plugin_commands(), COMMANDS),
    ]


def _as_json(sections: Sequence["Section"]) -> str:
    attention, notes = _lines(sections)
    head = {"ok": not attention, "attention": attention, "notes": notes}
    return json.dumps(head | {section.title: section.facts for section in sections}, indent=1)


def _as_text(sections: Sequence["Section"]) -> str:
    width = min(shutil.get_terminal_size().columns, COLUMNS)
    attention, notes = _lines(sections)
    blocks = [_table(section, width) for section in sections]
    blocks += [
        f"{head}, in full:\n{textwrap.indent(text.rstrip(), '  ')}" for s in sections for head, text in s.tracebacks
    ]
    blocks += [_listed("Good to know", notes, width)] if notes else []
    blocks += [_listed("Needs attention", attention, width) if attention else "Nothing needs attention."]
    return "\n\n".join(blocks)


def _table(section: "Section", width: int) -> str:
    column = min(NAMES, max((len(name) for name, _ in section.rows), default=0)) + 2
    lines = [_filled(f"  {name:{column}}", text, width, column + 2) for name, text in section.rows]
    return "\n".join([f"{section.title.capitalize()}:", *(lines or ["  none"])])


def _filled(head: str, text: str, width: int, indent: int) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _lines(sections: Sequence["Section"]) -> tuple[list[str], list[str]]:
    return [line for s in sections for line in s.attention], [line for s in sections for line in s.notes]


def _listed(title: str, lines: Sequence[str], width: int) -> str:
    return "\n".join([f"{title}:", *(_filled("  - ", line, width, 4) for line in lines)])


def _without_home(text: str) -> str:
    # A bug report is read by strangers.
    home = str(Path.home())
    return re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text) if len(home) > 1 else text
