"""``mrbench score``."""

import sys
from pathlib import Path

import click

from mrbench.cli.options import METRICS, OUT
from mrbench.cli.plugins import registry
from mrbench.cli.run import exit_code
from mrbench.engine.run import open_run
from mrbench.metrics.protocol import PROTOCOLS


@click.command("score")
@click.argument("run", default="last")
@OUT
@click.option(
    "--protocol",
    type=click.Choice(sorted(PROTOCOLS)),
    default="strict",
    show_default=True,
    help="How stored predictions become numbers.",
)
@METRICS
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(run: str, out: Path, protocol: str, metrics: tuple[str, ...], as_json: bool) -> None:
    """Compute a run's metrics again from its stored predictions, without model, images or masks.

    RUN is its id, its folder, or "last".
    """
    from mrbench.cli.tables import print_run

    found, opened = registry(), open_run(run, out)
    results = opened.cell_results()
    chosen = PROTOCOLS[protocol]
    print_run(opened, results, found, protocol=chosen, metrics=metrics, as_json=as_json, rescore=True)
    sys.exit(exit_code(results))
