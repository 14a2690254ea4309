"""``mrbench score``."""

import sys
from pathlib import Path
from typing import Any

import click

from mrbench.cli.external import check_options, external_options, score_predictions
from mrbench.cli.options import METRICS, OUT, PLUGIN_FILES, read_budgets
from mrbench.cli.plugins import registry, tell_absent_files
from mrbench.engine.run import open_run
from mrbench.engine.threads import cores
from mrbench.metrics.protocol import PROTOCOLS


@click.command("score")
@click.argument("run", default="last")
@external_options
@OUT
@click.option(
    "--protocol",
    type=click.Choice(sorted(PROTOCOLS)),
    default="strict",
    show_default=True,
    help="How stored predictions become numbers.",
)
@METRICS
@click.option(
    "--samples",
    callback=read_budgets,
    metavar="N,N,...",
    help="Score the first N samples of every case instead of all: a row for each N.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=cores,
    show_default="cores",
    help="Processes that score large runs.",
)
@PLUGIN_FILES
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    run: str,
    out: Path,
    protocol: str,
    metrics: tuple[str, ...],
    samples: tuple[int, ...],
    jobs: int,
    plugin_files: tuple[Path, ...],
    as_json: bool,
    **external: Any,
) -> None:
    """Compute a run's metrics again from its stored predictions, without model, images or masks.

    RUN is its id, its folder, or "last". With --predictions, score what was made elsewhere, and keep it as a run.

    \b
    mrbench score last --protocol published
    mrbench score last --samples 4,10,50
    mrbench score --predictions FILE.h5 --dataset phantom --name mine
    """
    from mrbench.cli.tables import print_run

    check_options(external)
    found = registry(plugin_files)
    for name in metrics:
        found.get("metric", name)
    elsewhere = external["predictions"] is not None
    opened = score_predictions(external, found, out) if elsewhere else open_run(run, out)
    results = opened.cell_results()
    chosen = PROTOCOLS[protocol]
    tell_absent_files(results, found)
    code = print_run(
        opened,
        results,
        found,
        protocol=chosen,
        metrics=metrics,
        as_json=as_json,
        rescore=not elsewhere,
        samples=samples,
        jobs=jobs,
    )
    sys.exit(code)
