"""``mrbench compare``."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mrbench.cli.options import METRICS, OUT, PLUGIN_FILES, read_budgets
from mrbench.cli.plugins import registry, tell_absent_files
from mrbench.cli.run import exit_code
from mrbench.errors import UsageError
from mrbench.metrics.protocol import PROTOCOLS
from mrbench.registry import Registry


@click.command("compare")
@click.argument("a", metavar="[RUN[:METHOD]]", default="last")
@click.argument("b", metavar="[RUN[:METHOD]]", required=False)
@click.option("--against", metavar="METHOD", help="The method that the others of a run are compared with.")
@click.option("--protocols", is_flag=True, help="Show what each scoring switch moves, one at a time, instead.")
@click.option(
    "--samples",
    metavar="N,N,...",
    callback=read_budgets,
    help="With --protocols: sample counts to score the first samples of.",
)
@click.option(
    "--protocol",
    type=click.Choice(sorted(PROTOCOLS)),
    help="How stored predictions become numbers, for both. [default: strict]",
)
@METRICS
@PLUGIN_FILES
@OUT
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    a: str,
    b: str | None,
    against: str | None,
    protocols: bool,
    samples: tuple[int, ...],
    protocol: str | None,
    metrics: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    out: Path,
    as_json: bool,
) -> None:
    """Print paired differences of methods, with intervals from a bootstrap over subjects.

    An operand is a run (its id, its folder, or "last") or one method of a run, RUN:METHOD. One run alone: its methods
    are compared with each other. Two runs: methods of equal names, else all of the first with all of the second. A
    difference is the second less the first, on the folds and cases that both have.

    \b
    mrbench compare last --against unet-majority
    mrbench compare RUN_A:proseg RUN_B:proseg
    mrbench compare --protocols last
    """
    _check_together(b, against, protocols, samples, protocol)
    found = registry(plugin_files)
    for name in metrics:
        found.get("metric", name)
    if protocols:
        _print_moves(a, found, samples, metrics, out, as_json)
    else:
        _print_differences(a, b, against or "", found, protocol or "strict", metrics, out, as_json)


def _check_together(
    b: str | None, against: str | None, protocols: bool, samples: Sequence[int], protocol: str | None
) -> None:
    given = [what for what, value in (("second run", b), ("--against", against), ("--protocol", protocol)) if value]
    if protocols and given:
        raise UsageError(f"--protocols takes no {given[0]}", expected="mrbench compare --protocols RUN")
    if samples and not protocols:
        raise UsageError("--samples goes with --protocols only", hint="mrbench compare --protocols RUN --samples 4,10")
    if b and against:
        raise UsageError("--against is for the methods of one run", hint="RUN_A:METHOD RUN_B names one of each")


def _print_differences(
    first: str,
    second: str | None,
    against: str,
    found: Registry,
    protocol: str,
    metrics: tuple[str, ...],
    out: Path,
    as_json: bool,
) -> None:
    from mrbench.cli.compare_tables import differences_json, print_differences
    from mrbench.compare.differences import check_something, compare
    from mrbench.compare.operands import parse_operand
    from mrbench.compare.pairs import pair_between, pair_within
    from mrbench.compare.scores import ScoreReader

    a = parse_operand(first, out)
    pairing = pair_between(a, parse_operand(second, out)) if second else pair_within(a, against)
    reader = ScoreReader(found, PROTOCOLS[protocol], metrics)
    comparisons = [compare(pair, reader) for pair in pairing.pairs]
    check_something(comparisons)
    rows = [row for pair in pairing.pairs for row in (pair.a, pair.b)]
    results = [result for row in rows for result in row.results]
    tell_absent_files(results, found)
    if as_json:
        click.echo(json.dumps(differences_json(pairing, comparisons), indent=1))
    else:
        print_differences(pairing, comparisons)
    sys.exit(exit_code(results))


def _print_moves(
    run: str, found: Registry, samples: Sequence[int], metrics: tuple[str, ...], out: Path, as_json: bool
) -> None:
    from mrbench.cli.compare_tables import moves_json, print_moves
    from mrbench.compare.moves import moves
    from mrbench.compare.operands import parse_operand
    from mrbench.compare.switches import switches

    operand, chosen = parse_operand(run, out), switches(samples)
    tables = moves(operand, found, chosen, metrics)
    rows = [row for dataset in operand.datasets for row in operand.rows(dataset)]
    results = [result for row in rows for result in row.results]
    tell_absent_files(results, found)
    if as_json:
        click.echo(json.dumps(moves_json(tables, chosen), indent=1))
    else:
        print_moves(tables, chosen)
    sys.exit(exit_code(results))
