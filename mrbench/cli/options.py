"""Options that several commands share."""

from pathlib import Path

import click

RESULTS = Path("results")
"""Where results go unless a command says otherwise."""

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
