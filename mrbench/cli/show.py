"""``mrbench show``."""

import sys
from pathlib import Path

import click

from mrbench.cli.options import METRICS, OUT, PLUGIN_FILES
from mrbench.cli.plugins import registry, tell_absent_files
from mrbench.engine.result import exit_code
from mrbench.engine.run import open_run


@click.command("show")
@click.argument("run", default="last")
@OUT
@METRICS
@PLUGIN_FILES
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a PNG of raters' masks, rater predictions and samples instead.",
)
@click.option("--cases", "count", type=click.IntRange(1), default=4, show_default=True, help="Cases in the picture.")
@click.option("--readers", is_flag=True, help="Mark the rows beside another reader, on equal terms.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    run: str,
    out: Path,
    metrics: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    picture: Path | None,
    count: int,
    as_json: bool,
    readers: bool,
) -> None:
    """Print the table of a run again. RUN is its id, its folder, or "last"."""
    found, opened = registry(plugin_files), open_run(run, out)
    results = opened.cell_results()
    if picture is not None:
        from mrbench.pictures import write_run_pictures

        for path in write_run_pictures(opened, results, found, picture, count):
            click.echo(f"wrote {path}")
        sys.exit(exit_code(results))
    from mrbench.cli.tables import print_run

    tell_absent_files(results, found)
    sys.exit(print_run(opened, results, found, metrics=metrics, as_json=as_json, readers=readers))
