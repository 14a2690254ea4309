"""Options that several commands share."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mrbench.data.folder import RESULTS

if TYPE_CHECKING:
    from mrbench.engine.jobs import Jobs

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of prepared data. [default: $MRBENCH_DATA, else the user's data folder]",
)
OUT = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    help="Folder of results; cells found there are kept.",
)
FOLDER = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    show_default=True,
    help="Folder of results.",
)
METRICS = click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="A metric to show; repeat for several."
)
PLUGIN_FILES = click.option(
    "--plugin-file",
    "plugin_files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A Python file with a plugin of your own; repeat for several.",
)


def read_jobs(ctx: click.Context, param: click.Parameter, text: str) -> "Jobs":
    """A number of cells from 1, or ``auto``.

    Raises:
        BadParameter: neither.
    """
    if not re.fullmatch("auto|0*[1-9][0-9]{0,5}", text):
        raise click.BadParameter(f"{text!r} is neither a number from 1 nor auto.", ctx, param)
    return "auto" if text == "auto" else int(text)


def read_budgets(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[int, ...]:
    """``4,10,50`` as numbers, ascending, each once.

    Raises:
        BadParameter: no list of numbers above 0.
    """
    words = [] if text is None else [word.strip() for word in text.split(",")]
    if not all(re.fullmatch("0*[1-9][0-9]{0,8}", word) for word in words):
        raise click.BadParameter(f"{text!r} is no list of numbers above 0, such as 4,10,50.", ctx, param)
    return tuple(sorted({int(word) for word in words}))
