"""``mrbench report``."""

from pathlib import Path

import click

from mrbench.cli.options import OUT, PLUGIN_FILES
from mrbench.cli.plugins import registry
from mrbench.engine.run import open_run
from mrbench.errors import UnknownNameError, UsageError
from mrbench.metrics.protocol import PROTOCOLS


@click.command("report")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@OUT
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="The page. [default: the first run's id, in the current folder]",
)
@click.option("--metric", default="ged", show_default=True, metavar="NAME", help="The metric that orders the cases.")
@click.option(
    "--cases",
    type=click.IntRange(1),
    help="Cases to look at, at most. [default: 100 slices or 10 volumes]",
)
@click.option(
    "--samples", type=click.IntRange(0), default=6, show_default=True, help="Samples of each method drawn per case."
)
@click.option("--fold", type=click.IntRange(0), help="Cases of this fold only. [default: all folds]")
@click.option(
    "--protocol",
    type=click.Choice(sorted(PROTOCOLS)),
    default="strict",
    show_default=True,
    help="How stored predictions become numbers.",
)
@PLUGIN_FILES
def command(
    runs: tuple[str, ...],
    out: Path,
    to: Path | None,
    metric: str,
    cases: int | None,
    samples: int,
    fold: int | None,
    protocol: str,
    plugin_files: tuple[Path, ...],
) -> None:
    """Write one HTML page of one or several runs that works offline: tables, figures and cases to look at.

    RUN is a run's id, its folder, or "last" (the default). The rows of several runs stand in one table.
    """
    from mrbench.report.choices import Choices
    from mrbench.report.gather import gather
    from mrbench.report.page import check_packages, write_page

    check_packages()
    found = registry(plugin_files)
    opened = [open_run(name, out) for name in runs or ("last",)]
    folds = {str(spec.fold) for run in opened for spec, _ in run.cells}
    if fold is not None and str(fold) not in folds:
        raise UnknownNameError("fold", str(fold), folds, where=f"of {', '.join(run.id for run in opened)}")
    path = to or Path(f"{opened[0].id}.html")
    if path.is_dir():
        raise UsageError(
            f"cannot write the report {path}: it is a folder",
            hint=f"--to {path / opened[0].id}.html; --out names the folder of results",
        )
    choices = Choices(metric=metric, protocol=PROTOCOLS[protocol], cases=cases, samples=samples, fold=fold)
    size = write_page(gather(opened, found, choices), path)
    click.echo(f"wrote {path} ({size / 2**20:.1f} MiB)")
