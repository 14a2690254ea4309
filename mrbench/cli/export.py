"""``mrbench export``."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from mrbench.cli.options import OUT, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.engine.record import on_dataset
from mrbench.engine.run import open_run
from mrbench.external.export import Choice, Exported, export_run
from mrbench.external.writers import FORMATS


@click.command("export")
@click.argument("run", default="last")
@OUT
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="The folder to write; it must not be there. [default: RUN-predictions]",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="Of the files. [default: png for slices, nifti for volumes]",
)
@click.option("--method", "methods", multiple=True, metavar="NAME", help="A method of the run; repeat for several.")
@click.option("--fold", "folds", multiple=True, type=click.IntRange(0), help="A fold; repeat for several.")
@click.option("--case", "cases", multiple=True, metavar="ID", help="A case; repeat for several.")
@click.option("--truth", is_flag=True, help="Write the raters' masks as well.")
@PLUGIN_FILES
def command(
    run: str,
    out: Path,
    to: Path | None,
    kind: str | None,
    methods: tuple[str, ...],
    folds: tuple[int, ...],
    cases: tuple[str, ...],
    truth: bool,
    plugin_files: tuple[Path, ...],
) -> None:
    """Write a run's predictions as files that other programs open.

    RUN is its id, its folder, or "last". Every method gets a folder of images or a file of its own, of all its folds,
    in the layout that mrbench score --predictions reads. Predictions are masks: a run keeps no probabilities.

    \b
    mrbench export last --to masks --format nifti --truth
    """
    found, opened = registry(plugin_files), open_run(run, out)
    choice = Choice(kind=kind or "", methods=methods, folds=folds, cases=cases, truth=truth)
    target = to or Path(f"{opened.id}-predictions")
    written = export_run(opened, opened.cell_results(), found, target, choice)
    for one in written:
        click.echo(f"wrote {one.path}: {len(one.cases)} cases")
    left = {spec.method for spec, _ in opened.cells} - {cell.method for one in written for cell in one.cells}
    if left and not methods:
        click.echo(f"left out, as unfinished or with several trials of a case: {', '.join(sorted(left))}", err=True)
    for line in _next(written, cases):
        click.echo(line)


def _next(written: list[Exported], cases: tuple[str, ...]) -> Iterator[str]:
    if cases or any(cell.limit is not None or cell.test_on for one in written for cell in one.cells):
        return  # what is no fold of its data set cannot be scored
    yield "Read them back, or others that are laid out like them:"
    for one in written:
        folds = [word for cell in one.cells for word in ("--fold", str(cell.fold))]
        words = ["mrbench", "score", "--predictions", str(one.path), *on_dataset(one.cells[0]), *folds]
        yield f"  {shlex.join(words)}"
